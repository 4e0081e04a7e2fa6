/* SPDX-License-Identifier: MIT */
/**
 * @file tinystride.h
 * @brief TinyStride: raw samples of a shoe-worn inertial sensor in, stride lengths out.
 *
 * @code
 *     tinystride_t ts;                        // all state; yours, copyable, no allocation anywhere
 *     tinystride_stride_t stride;
 *     tinystride_init(&ts, 104.0f, TINYSTRIDE_RIGHT);
 *     for (;;) {
 *         ...read the sensor: m/s^2 with gravity, rad/s...
 *         if (tinystride_push(&ts, acc_mps2, gyr_radps, &stride) == TINYSTRIDE_STRIDE) {
 *             use(stride.length_cm, stride.flags);
 *         }
 *     }
 * @endcode
 *
 * The sensor may be mounted on the shoe in any orientation. Stand still for a second before walking: gyroscope and
 * gravity are calibrated then, and again whenever the foot rests. C99, single precision, no allocation, no library but
 * memcpy and memset. Reentrant: use one tinystride_t per foot; calls with the same one must not overlap.
 */
#ifndef TINYSTRIDE_H
#define TINYSTRIDE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name Version of the library, MAJOR.MINOR.PATCH, as the export sets it; the number can be compared.
 * @{ */
#define TINYSTRIDE_VERSION_MAJOR 0   /**< changes that callers notice */
#define TINYSTRIDE_VERSION_MINOR 0   /**< additions */
#define TINYSTRIDE_VERSION_PATCH 0   /**< corrections */
#define TINYSTRIDE_VERSION "0.0.0"   /**< as text */
/** As a number: 10000 MAJOR + 100 MINOR + PATCH */
#define TINYSTRIDE_VERSION_NUMBER                                                                                      \
    (TINYSTRIDE_VERSION_MAJOR * 10000 + TINYSTRIDE_VERSION_MINOR * 100 + TINYSTRIDE_VERSION_PATCH)
/** @} */

/** @name Sampling rates, Hz
 * @{ */
#define TINYSTRIDE_LEAST_RATE_HZ 40.0f    /**< lowest */
#define TINYSTRIDE_LARGEST_RATE_HZ 420.0f /**< highest */
/** @} */

/** @name The foot that wears the sensor
 * @{ */
#define TINYSTRIDE_LEFT 0  /**< left foot */
#define TINYSTRIDE_RIGHT 1 /**< right foot */
/** @} */

/** @name Status of a call; negative: an error
 * @{ */
#define TINYSTRIDE_OK 0              /**< the sample was taken */
#define TINYSTRIDE_STRIDE 1          /**< the sample was taken, and *stride is a new stride */
#define TINYSTRIDE_ERROR_NULL (-1)   /**< a pointer is NULL */
#define TINYSTRIDE_ERROR_RATE (-2)   /**< sampling rate outside 40 to 420 Hz */
#define TINYSTRIDE_ERROR_FOOT (-3)   /**< neither TINYSTRIDE_LEFT nor TINYSTRIDE_RIGHT */
#define TINYSTRIDE_ERROR_STATE (-4)  /**< tinystride_init() has not been called, or failed */
#define TINYSTRIDE_ERROR_SAMPLE (-5) /**< not finite, or larger than any sensor measures; counted as lost */
#define TINYSTRIDE_ERROR_TIME (-6)   /**< the time stamp stood still or went back; the sample was dropped */
#define TINYSTRIDE_ERROR_UNITS (-7)  /**< at rest |acc| is not about 9.81 m/s^2, so no stride can be found */
/** @} */

/** @name Quality flags: why the length of a stride may be unreliable
 * @{ */
#define TINYSTRIDE_NO_STANDING 0x001u      /**< the gyroscope is not calibrated: the foot has not stood still */
#define TINYSTRIDE_WRONG_FOOT 0x002u       /**< it moves like the other foot */
#define TINYSTRIDE_TURN 0x004u             /**< heading changed by more than 30 degrees */
#define TINYSTRIDE_CLIMB 0x008u            /**< height changed by more than 20 cm */
#define TINYSTRIDE_UNUSUAL_DURATION 0x010u /**< shorter than 0.6 s or longer than 2 s */
#define TINYSTRIDE_OUT_OF_RANGE 0x020u     /**< length by integration outside 40 to 220 cm, or network at its limit */
#define TINYSTRIDE_NOT_WALKING 0x040u      /**< not the motion of walking, in this stride or the one before */
#define TINYSTRIDE_GAP 0x080u              /**< samples of this stride were lost, or a sensor was stuck */
#define TINYSTRIDE_SATURATED 0x100u        /**< a sensor reached its full scale */
#define TINYSTRIDE_UNSTEADY 0x200u         /**< the foot did not rest at both ends, or the sensor slipped */
#define TINYSTRIDE_INCONSISTENT 0x400u     /**< network and integration differ by more than 10 cm */
#define TINYSTRIDE_SENSORS_DISAGREE 0x800u /**< the two sensors contradict each other: wrong rate or scale */
#define TINYSTRIDE_PREVIOUS_MISSING 0x1000u /**< its samples are complete, but the stride before was not reported */
/** @} */

/**
 * @brief A stride, from one mid-stance to the next of the same foot.
 *
 * Samples are counted from tinystride_init() or tinystride_reset() on, including lost ones. The time of a mid-stance is
 * (sample + fraction) / rate.
 */
typedef struct {
    float length_cm;           /**< stride length: integration and network */
    float strapdown_length_cm; /**< stride length by integration alone */
    float duration_s;          /**< stride duration */
    float mean5_cm;            /**< mean of the last 5 lengths without flags but NO_STANDING, by 1 / SD²; 0: none */
    float mean10_cm;           /**< mean of the last 10 */
    float length_sd_cm;        /**< standard deviation of the length: 95 % are within 1.96 of it */
    float latency_s;           /**< time since the mid-stance at the end */
    uint32_t start_sample;     /**< mid-stance at the start */
    uint32_t end_sample;       /**< mid-stance at the end */
    uint32_t contact_sample;   /**< initial contact; start_sample if none was found */
    float start_fraction;      /**< 0 to 1 */
    float end_fraction;        /**< 0 to 1 */
    float contact_fraction;    /**< 0 to 1 */
    float repaired_deg;        /**< rotation that a clipped gyroscope lost and that was put back, degrees; 0: none */
    uint16_t flags;            /**< TINYSTRIDE_NO_STANDING | ...; 0: none */
} tinystride_stride_t;

/** @cond PRIVATE */
/* Sizes of the state. A block is about 1/60 s of samples. */
#define TINYSTRIDE_HISTORY_BLOCKS 208u /* the longest stride, and what has to be known after it */
#define TINYSTRIDE_MOTION_BLOCKS 128u
#define TINYSTRIDE_WINDOW_BLOCKS 7u
#define TINYSTRIDE_DURATIONS 8
#define TINYSTRIDE_STANDING_PARTS 4 /* three of a window, and the next one */
#define TINYSTRIDE_CLIPPED_RUNS 12u /* of a stride */

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
    uint8_t is_reached[2];        /* the largest value so far has been proven to be the full scale */
    uint8_t has_clock;            /* a time stamp has come */
    uint8_t jumps;                /* of a full scale or more, as overflowing counts make them */
    uint8_t repeat_score;         /* of samples that repeat the one before while the foot turns */
    int16_t saturation_level[2];  /* counts: full scale or, if that is unknown, the largest value so far */
    int16_t last[6];              /* counts, the last sample */
    uint32_t first_sample;        /* number of the sample that begins block 0 */
    uint32_t inspect_from[2];     /* key of |x| above which samples are inspected */
    uint32_t last_time_us;
    float rate_hz;                /* as configured */
    float interval_us, time_gain; /* between samples, and gain of the loop that measures it */
    float period_s;               /* of a block */
};

/* Private: runs of samples in which an axis of the gyroscope was at full scale, the last ones in a ring. */
struct tinystride_clipped {
    uint8_t next;               /* entry that is replaced next */
    struct {
        uint32_t first;         /* sample */
        uint16_t n;             /* samples */
        uint8_t axis;           /* 0 to 2; 3 to 5: at the negative full scale */
    } runs[TINYSTRIDE_CLIPPED_RUNS];
};

/* Private: the phase of the gait. */
struct tinystride_phase {
    uint8_t on_ground;          /* a stance is open: the foot has not left it yet */
    uint8_t paused;             /* the open stance has ended a stride, because it lasts */
    uint8_t has_start;          /* the current stride has a start */
    uint8_t has_candidate;      /* for a mid-stance */
    uint8_t has_stance;         /* there has been a stance */
    uint8_t stationary_blocks;  /* in a row */
    uint8_t event_seen[3];      /* in the current stride: gap, saturation, jump of the specific force */
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
    uint32_t event_first[3], event_last[3]; /* blocks */
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
    float rest_force;           /* m/s^2, |specific force| while standing or, before, in the most stationary stances */
    float rest_weight;          /* sum of the weights of these stances */
};

/* Private: how much of the drift comes at foot contact. [2]: forward, vertical excess velocity times duration, m. */
struct tinystride_impacts {
    uint8_t n;                  /* strides of the means */
    float mean_m[2];
    float deviation_m[2];       /* mean absolute deviation from the mean */
};

/* Private: what the checks know of earlier strides. */
struct tinystride_checks {
    uint8_t previous_missing;   /* a stride is missing before the next one */
    uint8_t previous_not_walking;
    uint8_t ordinary_strides, side_strides; /* strides in the means below */
    float vertical_mps;         /* mean velocity at the end */
    float vertical_deviation;   /* m/s, mean absolute deviation from it */
    float lag_sums[3];          /* of the first strides, see is_late() */
    float side_score;           /* mean score of the foot: 1 the configured one, -1 the other one */
};

/* Private: unflagged lengths. */
struct tinystride_results {
    uint8_t n_lengths, next_length;
    float length_cm[10], length_sd_cm[10];
};

/* Private: the last blocks, by number. */
struct tinystride_history {
    uint16_t motion[TINYSTRIDE_MOTION_BLOCKS];      /* motion energy */
    int16_t samples[TINYSTRIDE_HISTORY_BLOCKS][6];  /* counts, low-passed */
};

/** @endcond */

/** @brief All state of one foot. Its members are private; it may be copied with memcpy at any time. */
typedef struct {
    /** @cond PRIVATE */
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
    struct tinystride_clipped clipped;
    struct tinystride_frame frame;
    struct tinystride_lowpass lowpass;
    struct tinystride_sensor sensor;
    struct tinystride_impacts impacts;
    struct tinystride_results results;
    uint32_t magic;
    struct tinystride_history history;
    /** @endcond */
} tinystride_t;

/**
 * @brief Initialize the state of one foot.
 * @param ts       state to initialize
 * @param rate_hz  sampling rate, 40 to 420 Hz
 * @param foot     TINYSTRIDE_LEFT or TINYSTRIDE_RIGHT
 * @return TINYSTRIDE_OK; or TINYSTRIDE_ERROR_NULL, _RATE or _FOOT, and then every other call is refused
 */
int tinystride_init(tinystride_t *ts, float rate_hz, int foot);

/**
 * @brief Forget everything but rate, foot and full scales. Call it when the sensor has been mounted anew.
 * @param ts  state
 * @return TINYSTRIDE_OK; or TINYSTRIDE_ERROR_NULL or _STATE
 */
int tinystride_reset(tinystride_t *ts);

/**
 * @brief Set the full scales of the sensor.
 *
 * If they are known, a stride is flagged TINYSTRIDE_SATURATED from 99.5 % of the full scale on; else if the largest
 * value so far has stayed for three samples. Rotation that the gyroscope loses then is put back, see repaired_deg.
 * @param ts         state
 * @param acc_mps2   full scale of the accelerometer, m/s^2; 0: unknown
 * @param gyr_radps  full scale of the gyroscope, rad/s; 0: unknown
 * @return TINYSTRIDE_OK; or TINYSTRIDE_ERROR_NULL or _STATE
 */
int tinystride_set_full_scale(tinystride_t *ts, float acc_mps2, float gyr_radps);

/**
 * @brief Take one sample, in the sensor's axes (right-handed, the same for both sensors).
 * @param ts         state
 * @param acc_mps2   [3] specific force, m/s^2; at rest 9.81 upwards
 * @param gyr_radps  [3] angular rate, rad/s
 * @param stride     receives the stride if TINYSTRIDE_STRIDE is returned
 * @return TINYSTRIDE_OK or TINYSTRIDE_STRIDE; or an error, after which the next sample may be pushed all the same
 */
int tinystride_push(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                    tinystride_stride_t *stride);

/**
 * @brief Take one sample as the sensor's counts.
 * @param ts               state
 * @param acc              [3] counts of specific force
 * @param gyr              [3] counts of angular rate
 * @param acc_scale_mps2   m/s^2 per count
 * @param gyr_scale_radps  rad/s per count
 * @param stride           receives the stride if TINYSTRIDE_STRIDE is returned
 * @return as tinystride_push()
 */
int tinystride_push_int16(tinystride_t *ts, const int16_t acc[3], const int16_t gyr[3], float acc_scale_mps2,
                          float gyr_scale_radps, tinystride_stride_t *stride);

/**
 * @brief Take one sample with a time stamp, by which lost samples are noticed and the true rate is measured.
 *
 * The true rate must be within 5 % of the configured one. A stamp more than a second ahead or back is a loss of unknown
 * length, counted as one that cannot be bridged. It may be the clock that jumped, so a stride in which stamps are
 * missing while the foot turns is flagged TINYSTRIDE_GAP.
 * @param ts         state
 * @param time_us    time stamp, microseconds of a clock that may wrap around
 * @param acc_mps2   [3] specific force, m/s^2
 * @param gyr_radps  [3] angular rate, rad/s
 * @param stride     receives the stride if TINYSTRIDE_STRIDE is returned
 * @return as tinystride_push(); or TINYSTRIDE_ERROR_TIME
 */
int tinystride_push_at(tinystride_t *ts, uint32_t time_us, const float acc_mps2[3], const float gyr_radps[3],
                       tinystride_stride_t *stride);

/**
 * @brief End the stream: report the last stride if the foot has come to rest. Call tinystride_reset() next.
 * @param ts      state
 * @param stride  receives the stride if TINYSTRIDE_STRIDE is returned
 * @return TINYSTRIDE_OK or TINYSTRIDE_STRIDE; or TINYSTRIDE_ERROR_NULL or _STATE
 */
int tinystride_finish(tinystride_t *ts, tinystride_stride_t *stride);

/**
 * @brief Say that samples were lost before the next one.
 *
 * Up to 0.03 s is bridged: the stride with the gap is reported, and flagged TINYSTRIDE_GAP if velocity may have been
 * missed. After a longer gap strides start anew: the stride with the gap is not reported, nor the one before it if that
 * ended less than about 0.4 s earlier. Instead the next stride is flagged TINYSTRIDE_PREVIOUS_MISSING: its own samples
 * are complete. Samples that are not finite, and samples that time stamps leave out, count as lost, too.
 * @param ts       state
 * @param samples  number of lost samples
 * @return TINYSTRIDE_OK; or TINYSTRIDE_ERROR_NULL or _STATE
 */
int tinystride_gap(tinystride_t *ts, uint32_t samples);

#ifdef __cplusplus
}
#endif

#endif
