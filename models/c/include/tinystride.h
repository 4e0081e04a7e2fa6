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

#define TINYSTRIDE_LEAST_RATE_HZ 50.0f
#define TINYSTRIDE_LARGEST_RATE_HZ 400.0f

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

#define TINYSTRIDE_RING 208u /* blocks of samples: the longest stride and what has to be known after it */
#define TINYSTRIDE_UNRESTS 128u
#define TINYSTRIDE_WINDOW 7u
#define TINYSTRIDE_DURATIONS 7

/* All state. Its members are none of the caller's business; it may be copied with memcpy at any time. They are in the
 * order of their size: short instructions reach the first ones, of which there are most. */
typedef struct {
    uint8_t foot, timed, bridged, samples_per_block;
    uint8_t repeats[2]; /* samples in a row at the largest value; [2]: of accelerometer and gyroscope */
    uint8_t known[2];   /* whether the full scale is */
    uint8_t standings, knows_stance, resumed;
    uint8_t has_frame, walked, lengths, oldest;
    uint8_t strayed, ordinary; /* whether the stride before was none of walking; ordinary strides, up to 8 */
    uint8_t blocks[TINYSTRIDE_DURATIONS]; /* durations */

    /* From here to `window_samples`: samples and strides under way. */
    uint8_t to_come; /* samples of the block under way */
    uint8_t has_best, stances, stance_open, rested;
    uint8_t has_start;            /* of the stride under way */
    uint8_t in_half, still;       /* standing, by halves of a second; still: the one before was without movement */
    uint8_t acc_same, gyr_same;   /* equal blocks in a row */
    uint8_t slot, calm_blocks;
    uint8_t event_seen[2];        /* in the stride under way: a gap, saturation */
    uint16_t best_unrest, searched_unrest, calmest_unrest, start_256th;
    uint32_t block;               /* the one under way */
    uint32_t energy;              /* of the block under way */
    uint32_t lost;                /* samples before the next one */
    uint32_t turned, turned_last; /* by the foot, so far and until the last candidate */
    uint32_t moving;              /* last block of more unrest than a standing foot has */
    uint32_t best, searched;      /* the calmest block since the last search for one, and where that ended */
    uint32_t calm_end;            /* of the last candidate's calm, as far as looked for */
    uint32_t start;
    uint32_t search_end, least_energy; /* of the search for a force to start from */
    uint32_t best_turned, best_moving;
    uint32_t calmest, last_candidate, arrival; /* of the stance under way: its calmest candidate and its last one */
    uint32_t spread_from;                      /* first block that tells how the foot turns in this stride */
    uint32_t event_first[2], event_last[2];    /* blocks, of events that may lie in the stride under way */
    uint32_t energy_total, half_energy, half_energy_before;
    uint32_t sum[6]; /* of the block under way, so much less that it is right once the block is complete */
    int32_t force_total[3];
    int32_t half_gyr[3], half_gyr_before[3];
    struct tinystride_sums {
        int32_t force[3];
        uint32_t energy;
    } sums[TINYSTRIDE_WINDOW]; /* of the last blocks; `slot` is the newest */

    uint16_t window_samples, search;
    int16_t reached[2]; /* size at full scale or, where that is not known, the largest so far */
    uint32_t magic;
    uint32_t first_sample; /* the one that begins block 0 */
    uint32_t swing;        /* smallest turn of a swing, in units of `turned` */
    uint32_t unusual[2];   /* from where on samples are looked at closer */
    uint32_t last_time_us;

    int16_t last[6];
    int16_t stance_force[3]; /* of the standing foot, counts */
    int16_t best_force[3], calmest_force[3], least_force[3], start_force[3];
    int16_t half_force[3], half_force_before[3];

    float rate_hz, interval_us, time_gain;
    float period_s;   /* of a block, from time stamps where there are some */
    float delay;      /* of the low-pass, in blocks */
    float b0, a1, a2; /* b0 of a block's sum */
    float filter[6][2];
    float up[3]; /* vertical in sensor axes, carried on since the last stance */
    /* what has been learnt of sensor, mounting and wearer */
    float bias[3], bias_variance[3][3];
    float force[3], up_force[3];
    float axes[3][3];
    float left[3];
    float forward;
    float vertical_mps; /* velocity at the end of the last ordinary strides */
    float side[16];
    float length_cm[10];
    /* history, by number of block */
    uint16_t unrest[TINYSTRIDE_UNRESTS];
    int16_t ring[TINYSTRIDE_RING][6];
} tinystride_t;

/* Start. rate_hz: 50 to 400, of the samples that will be pushed. foot: TINYSTRIDE_LEFT or TINYSTRIDE_RIGHT.
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
