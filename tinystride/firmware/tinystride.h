/* TinyStride: raw samples of a shoe-worn inertial sensor in, stride lengths out.
 *
 *     tinystride_t ts;                        (all state; yours, copyable, no allocation anywhere)
 *     tinystride_stride_t stride;
 *     tinystride_init(&ts, 104.0f, TINYSTRIDE_RIGHT);
 *     for (;;) {
 *         ...read the sensor: m/s^2 with gravity, rad/s...
 *         if (tinystride_push(&ts, acc_mps2, gyr_radps, &stride) == TINYSTRIDE_STRIDE) {
 *             use(stride.length_cm, stride.flags);
 *         }
 *     }
 *
 * The sensor may sit on the shoe any way round. Stand still for a second before walking: gyroscope and gravity
 * are calibrated then, and again whenever the foot rests. C99, single precision, reentrant: one tinystride_t per
 * foot; calls on one of them must not overlap.
 */
#ifndef TINYSTRIDE_H
#define TINYSTRIDE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library: MAJOR.MINOR.PATCH, and as a number that can be compared. */
#define TINYSTRIDE_VERSION_MAJOR 0
#define TINYSTRIDE_VERSION_MINOR 1
#define TINYSTRIDE_VERSION_PATCH 0
#define TINYSTRIDE_VERSION "0.1.0"
#define TINYSTRIDE_VERSION_NUMBER                                                                                      \
    (TINYSTRIDE_VERSION_MAJOR * 10000 + TINYSTRIDE_VERSION_MINOR * 100 + TINYSTRIDE_VERSION_PATCH)

#define TINYSTRIDE_LEAST_RATE_HZ 40.0f
#define TINYSTRIDE_LARGEST_RATE_HZ 420.0f

/* Feet. */
#define TINYSTRIDE_LEFT 0
#define TINYSTRIDE_RIGHT 1

/* What a call returns. Negative: something was wrong, and why. */
#define TINYSTRIDE_OK 0             /* the sample was taken */
#define TINYSTRIDE_STRIDE 1         /* it was taken, and *stride is a new stride */
#define TINYSTRIDE_ERROR_NULL (-1)  /* a pointer is NULL */
#define TINYSTRIDE_ERROR_RATE (-2)  /* the sampling rate is none from 50 to 400 Hz */
#define TINYSTRIDE_ERROR_FOOT (-3)  /* neither TINYSTRIDE_LEFT nor TINYSTRIDE_RIGHT */
#define TINYSTRIDE_ERROR_STATE (-4) /* tinystride_init has not been called, or failed */
#define TINYSTRIDE_ERROR_SAMPLE (-5) /* not finite, or more than any sensor measures: counted as lost */
#define TINYSTRIDE_ERROR_TIME (-6)  /* the time stamp stood still or ran back: the sample was dropped */
#define TINYSTRIDE_ERROR_UNITS (-7) /* so far, at rest |acc| is not about 9.81 m/s^2: nothing can be found */

/* Flags of a stride: what speaks against its length. */
#define TINYSTRIDE_NO_STANDING 0x001u      /* the foot never stood still for a second: gyroscope not calibrated */
#define TINYSTRIDE_WRONG_FOOT 0x002u       /* it moves like the other foot */
#define TINYSTRIDE_TURN 0x004u             /* heading changed by more than 30 degrees */
#define TINYSTRIDE_CLIMB 0x008u            /* height changed by more than 20 cm */
#define TINYSTRIDE_UNUSUAL_DURATION 0x010u /* shorter than 0.6 s or longer than 2 s */
#define TINYSTRIDE_OUT_OF_RANGE 0x020u     /* integral outside of 40 to 220 cm, or beyond what the network can tell */
#define TINYSTRIDE_NOT_WALKING 0x040u      /* it turns or goes back as no walking foot does, or did just before */
#define TINYSTRIDE_GAP 0x080u              /* samples were lost, or the sensor was stuck: see tinystride_gap */
#define TINYSTRIDE_SATURATED 0x100u        /* the sensor reached its full scale */
#define TINYSTRIDE_UNSTEADY 0x200u         /* the foot did not rest at both ends, or the sensor slipped */
#define TINYSTRIDE_INCONSISTENT 0x400u     /* network and integration differ by more than 10 cm */
#define TINYSTRIDE_SENSORS_DISAGREE 0x800u /* accelerometer and gyroscope contradict each other: wrong rate or scale */

/* A stride lies between two mid-stances. Samples are counted from tinystride_init or _reset on, lost ones too;
 * the time of a mid-stance is (sample + fraction) / rate. */
typedef struct {
    float length_cm;           /* by integration and network */
    float strapdown_length_cm; /* by integration alone */
    float duration_s;
    float mean5_cm;  /* of the last 5 strides, this one among them, that no flag but NO_STANDING speaks against; */
    float mean10_cm; /* of the last 10; of as many as there are. 0: none */
    float confidence; /* 0 to 1: how ordinary the integral and its correction are; halved by flags but NO_STANDING */
    float latency_s;  /* since the mid-stance that ends it */
    uint32_t start_sample;
    uint32_t end_sample;
    uint32_t contact_sample; /* initial contact within the stride; start_sample where none was found */
    float start_fraction;    /* 0 to 1 */
    float end_fraction;
    float contact_fraction;
    uint16_t flags; /* TINYSTRIDE_NO_STANDING | ... */
} tinystride_stride_t;

/* Sizes of the state. A block is about 1/60 s of samples. */
#define TINYSTRIDE_HISTORY_BLOCKS 208u /* the longest stride, and what has to be known after it */
#define TINYSTRIDE_MOTION_BLOCKS 128u
#define TINYSTRIDE_WINDOW_BLOCKS 7u
#define TINYSTRIDE_DURATIONS 8
#define TINYSTRIDE_STANDING_PARTS 4 /* three of a window, and the next one */
#define TINYSTRIDE_SIDE_POINTS 16

/* Private: configuration, and what follows from the sampling rate. */
struct tinystride_config {
    uint8_t foot;
    uint8_t samples_per_block;
    uint8_t has_full_scale[2];            /* [2]: accelerometer, gyroscope */
    uint8_t max_bridged;                  /* samples, longest gap that is bridged */
    uint8_t blocks[TINYSTRIDE_DURATIONS]; /* durations in blocks */
    uint16_t window_samples;              /* samples of the energy window */
    uint16_t relearn_blocks;              /* blocks without stance, after which the force at stance is learned anew */
    uint32_t min_swing;                   /* smallest rotation of a swing, in units of `turned` */
};

/* Private: input of samples, their clock and full scales. */
struct tinystride_input {
    uint8_t repeats[2];           /* [2]: accelerometer, gyroscope; samples in a row at the largest value */
    uint8_t has_clock;            /* a time stamp has come */
    int16_t saturation_level[2];  /* counts: full scale or, if that is unknown, the largest value so far */
    int16_t last[6];              /* counts, the last sample */
    uint32_t first_sample;        /* number of the sample that begins block 0 */
    uint32_t inspect_from[2];     /* key of |x| above which samples are inspected */
    uint32_t last_time_us;
    float rate_hz;                /* as configured */
    float interval_us, time_gain; /* between samples, and gain of the loop that measures it */
    float period_s;               /* of a block */
};

/* Private: the phase of the gait. */
struct tinystride_phase {
    uint8_t on_ground;          /* a stance is open: the foot has not left it yet */
    uint8_t paused;             /* the open stance has ended a stride, because it lasts */
    uint8_t has_start;          /* the current stride has a start */
    uint8_t has_candidate;      /* for a mid-stance */
    uint8_t has_stance;         /* there has been a stance */
    uint8_t stationary_blocks;  /* in a row */
    uint8_t event_seen[2];      /* in the current stride: gap, saturation */
};

/* Private: sums of one block. */
struct tinystride_sums {
    int32_t force[3];
    uint32_t energy;
};

/* Private: the current block. */
struct tinystride_block {
    uint8_t to_come;            /* samples that the block still lacks */
    uint8_t slot;               /* newest entry of the window's sums */
    uint8_t acc_same, gyr_same; /* equal blocks in a row */
    uint32_t number;
    uint32_t lost;              /* samples lost before the next one */
    uint32_t energy;            /* of the angular rate, so far */
    uint32_t sum[6];            /* offset, so that they are right once the block is complete */
};

/* Private: the energy window. */
struct tinystride_window {
    uint32_t energy_total;      /* over the window */
    int32_t force_total[3];
    struct tinystride_sums sums[TINYSTRIDE_WINDOW_BLOCKS];
};

/* Private: the low-pass. */
struct tinystride_lowpass {
    float delay;      /* in blocks */
    float b0, a1, a2; /* b0: for the sum of a block */
    float state[6][2];
};

/* Private: the search for stances. Numbers of blocks, unless a unit is given. */
struct tinystride_stance {
    uint32_t turned;            /* rotation so far */
    uint32_t last_turned;       /* rotation up to the last candidate */
    uint32_t last_moving;       /* last block above the stationary threshold */
    uint32_t candidate;         /* block of least motion since the last search */
    uint32_t candidate_turned, candidate_moving; /* rotation and last moving block at the candidate */
    uint32_t searched_until;    /* end of the last search */
    uint32_t quietest;          /* of the candidates in the open stance */
    uint32_t last_candidate;
    uint32_t stationary_end;    /* first block after the last candidate that moves, as far as known */
    uint32_t arrival;           /* first stationary block of the open stance */
    uint32_t relearn_at;        /* end of the search for the force at stance */
    uint32_t min_energy;        /* least energy in that search */
    uint16_t candidate_motion, quietest_motion; /* motion energy */
    uint16_t searched_motion;   /* motion energy of the last search's candidate */
    int16_t candidate_force[3], quietest_force[3], min_energy_force[3]; /* counts */
};

/* Private: detection of standing. */
struct tinystride_standing {
    uint8_t blocks;             /* without movement so far */
    uint8_t count;              /* windows of standing, up to 4 */
    int16_t force[3];           /* counts, as the foot began to stand */
    struct {
        int32_t force[3], gyr[3];
    } parts[TINYSTRIDE_STANDING_PARTS]; /* sums over parts of a window */
};

/* Private: the current stride. */
struct tinystride_current {
    uint32_t start;             /* block */
    uint32_t spread_from;       /* first block of the moments of the angular rate */
    uint32_t event_first[2], event_last[2]; /* blocks */
    uint16_t start_q8;          /* 1/256 of a block after `start` */
    int16_t start_force[3];     /* counts, force at the stance where it starts */
};

/* Private: mounting of the sensor, in sensor axes. */
struct tinystride_frame {
    uint8_t has_stance_force, has_frame;
    int16_t stance_force[3];    /* counts, specific force of the standing foot */
    float up[3];                /* vertical, rotated since the last stance */
    float up_force[3];          /* mean specific force at stance */
    float gyr_spread[3][3];     /* second moments of the angular rate */
    float left[3];              /* axis to the left */
    float forward;              /* m, direction of the last strides: positive if `left` is right */
};

/* Private: calibration of the sensor. */
struct tinystride_sensor {
    float bias[3];              /* rad/s */
    float bias_variance[3][3];  /* 1: what one stride tells */
    float rest_force;           /* m/s^2, |specific force| while standing */
};

/* Private: how much of the drift comes at foot contact. [2]: forward, vertical excess velocity times duration, m. */
struct tinystride_impacts {
    uint8_t n;                  /* strides of the means */
    float mean_m[2];
    float deviation_m[2];       /* mean absolute deviation from the mean */
};

/* Private: what the checks know of earlier strides. */
struct tinystride_checks {
    uint8_t after_gap;          /* a stride is missing before the next one */
    uint8_t previous_not_walking;
    uint8_t ordinary_strides, side_strides; /* strides in the means below */
    float vertical_mps;         /* mean velocity at the end */
    float side[TINYSTRIDE_SIDE_POINTS]; /* mean roll and sideways acceleration */
};

/* Private: unflagged lengths. */
struct tinystride_results {
    uint8_t n_lengths, next_length;
    float length_cm[10];
};

/* Private: the last blocks, by number. */
struct tinystride_history {
    uint16_t motion[TINYSTRIDE_MOTION_BLOCKS];      /* motion energy */
    int16_t samples[TINYSTRIDE_HISTORY_BLOCKS][6];  /* counts, low-passed */
};

/* All state. Its members are private; it may be copied with memcpy at any time. */
typedef struct {
    struct tinystride_config config;
    /* The current stream of samples, which a gap resets. */
    struct tinystride_phase phase;
    struct tinystride_block block;
    struct tinystride_stance stance;
    struct tinystride_current stride;
    struct tinystride_window window;
    /* What has been learned of the wearer, the sensor and its mounting. */
    struct tinystride_standing standing;
    struct tinystride_checks checks;
    struct tinystride_input input;
    struct tinystride_frame frame;
    struct tinystride_lowpass lowpass;
    struct tinystride_sensor sensor;
    struct tinystride_impacts impacts;
    struct tinystride_results results;
    uint32_t magic;
    struct tinystride_history history;
} tinystride_t;

/* Start. rate_hz: 40 to 420, of the samples that will be pushed. foot: TINYSTRIDE_LEFT or TINYSTRIDE_RIGHT.
 * Returns TINYSTRIDE_OK, or TINYSTRIDE_ERROR_NULL, _RATE or _FOOT, after which every other call is refused. */
int tinystride_init(tinystride_t *ts, float rate_hz, int foot);

/* Forget everything but rate, foot and full scales: the sensor has been put on anew. */
int tinystride_reset(tinystride_t *ts);

/* Full scales of the sensor, m/s^2 and rad/s; 0: not known. Where they are known, strides are flagged
 * TINYSTRIDE_SATURATED from 99.5 % on; else where the largest value ever stays for three samples. */
int tinystride_set_full_scale(tinystride_t *ts, float acc_mps2, float gyr_radps);

/* One sample: specific force (at rest 9.81 m/s^2 upwards) and angular rate, in the sensor's axes.
 * Returns TINYSTRIDE_OK or TINYSTRIDE_STRIDE, or an error, after which the next sample may be pushed all the same. */
int tinystride_push(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                    tinystride_stride_t *stride);

/* The same of raw counts; a count is acc_scale_mps2, gyr_scale_radps. */
int tinystride_push_int16(tinystride_t *ts, const int16_t acc[3], const int16_t gyr[3], float acc_scale_mps2,
                          float gyr_scale_radps, tinystride_stride_t *stride);

/* The same with a time stamp, in microseconds of a clock that may wrap around: lost samples are noticed, and the
 * true sampling rate is measured, if it is within 5 % of the one told. A stamp that is more than a second ahead or
 * back is a loss of unknown length, counted as one that cannot be bridged. Since it may be the clock that has jumped,
 * a stride in which stamps are missing while the foot turns is flagged TINYSTRIDE_GAP. */
int tinystride_push_at(tinystride_t *ts, uint32_t time_us, const float acc_mps2[3], const float gyr_radps[3],
                       tinystride_stride_t *stride);

/* No more samples will come: tells the last stride, if the foot has come to rest. tinystride_reset next. */
int tinystride_finish(tinystride_t *ts, tinystride_stride_t *stride);

/* So many samples were lost before the next one. Up to 0.03 s is bridged: the stride that holds the loss is told, and
 * flagged TINYSTRIDE_GAP if velocity may have been missed. After more, strides begin anew: the one that holds the loss
 * has no length and is not told, nor the one before it if that ended less than about 0.4 s earlier. Instead the next
 * stride told is flagged TINYSTRIDE_GAP, although its own samples are all there. Samples that are not finite, and those
 * that time stamps leave out, are the same as lost ones. */
int tinystride_gap(tinystride_t *ts, uint32_t samples);

#ifdef __cplusplus
}
#endif

#endif
