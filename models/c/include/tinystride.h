/* SPDX-License-Identifier: MIT */
/**
 * @file tinystride.h
 * @brief TinyStride: measure the length of every stride from the samples of a shoe-worn inertial sensor.
 *
 * @code
 *     tinystride_t ts;                        // the state of one foot
 *     tinystride_stride_t stride;
 *     tinystride_init(&ts, 104.0f, TINYSTRIDE_RIGHT);
 *     for (;;) {
 *         ...read the sensor: m/s^2 including gravity, rad/s...
 *         if (tinystride_push(&ts, acc_mps2, gyr_radps, &stride) == TINYSTRIDE_STRIDE) {
 *             use(stride.length_cm, stride.flags);
 *         }
 *     }
 * @endcode
 *
 * Mount the sensor on the shoe in any orientation. Stand still for one second before walking: the library then
 * calibrates gyroscope bias and gravity, and again whenever the foot stands still.
 *
 * The library is C99 in single precision. It allocates no memory and needs only memcpy and memset. It has no global
 * state: use one tinystride_t per foot, and do not call two functions with the same tinystride_t at the same time.
 */
#ifndef TINYSTRIDE_H
#define TINYSTRIDE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @name Version of the library, MAJOR.MINOR.PATCH
 * The export sets the version. Compare versions by TINYSTRIDE_VERSION_NUMBER.
 * @{ */
#define TINYSTRIDE_VERSION_MAJOR 0   /**< increased if the interface changes */
#define TINYSTRIDE_VERSION_MINOR 1   /**< increased if the interface grows */
#define TINYSTRIDE_VERSION_PATCH 0   /**< increased if only errors are corrected */
#define TINYSTRIDE_VERSION "0.1.0"   /**< the version as text */
/** The version as a number: 10000 MAJOR + 100 MINOR + PATCH */
#define TINYSTRIDE_VERSION_NUMBER                                                                                      \
    (TINYSTRIDE_VERSION_MAJOR * 10000 + TINYSTRIDE_VERSION_MINOR * 100 + TINYSTRIDE_VERSION_PATCH)
/** @} */

/** @name Sampling rate
 * @{ */
#define TINYSTRIDE_MIN_RATE_HZ 40.0f  /**< lowest sampling rate, Hz */
#define TINYSTRIDE_MAX_RATE_HZ 420.0f /**< highest sampling rate, Hz */
/** Deprecated: use TINYSTRIDE_MIN_RATE_HZ. The next minor version removes this name. */
#define TINYSTRIDE_LEAST_RATE_HZ TINYSTRIDE_MIN_RATE_HZ
/** Deprecated: use TINYSTRIDE_MAX_RATE_HZ. The next minor version removes this name. */
#define TINYSTRIDE_LARGEST_RATE_HZ TINYSTRIDE_MAX_RATE_HZ
/** @} */

/** @name Foot that wears the sensor
 * @{ */
#define TINYSTRIDE_LEFT 0  /**< left foot */
#define TINYSTRIDE_RIGHT 1 /**< right foot */
/** @} */

/** @name Status that a function returns
 * Negative values are errors. After an error of one sample, continue with the next sample.
 * @{ */
#define TINYSTRIDE_OK 0              /**< success; a sample was accepted, and there is no new stride */
#define TINYSTRIDE_STRIDE 1          /**< success; *stride holds a new stride */
#define TINYSTRIDE_ERROR_NULL (-1)   /**< a pointer is NULL */
#define TINYSTRIDE_ERROR_RATE (-2)   /**< the sampling rate is outside 40 to 420 Hz */
#define TINYSTRIDE_ERROR_FOOT (-3)   /**< the foot is neither TINYSTRIDE_LEFT nor TINYSTRIDE_RIGHT */
#define TINYSTRIDE_ERROR_STATE (-4)  /**< tinystride_init() was not called, or it returned an error */
/** A value is not finite, or exceeds 1000 m/s^2 or 200 rad/s, or the specific force is 0. The sample counts as lost. */
#define TINYSTRIDE_ERROR_SAMPLE (-5)
/** The time stamp did not change, or went back. The sample was dropped. */
#define TINYSTRIDE_ERROR_TIME (-6)
/** |acc| at rest differs from 9.81 m/s^2 by more than 15 %: check the units. No stride can be found. */
#define TINYSTRIDE_ERROR_UNITS (-7)
/** @} */

/** @name Quality flags: reasons why the length of a stride may be unreliable
 * @{ */
#define TINYSTRIDE_NO_STANDING 0x001u /**< the foot has not stood still, so the gyroscope is not calibrated */
#define TINYSTRIDE_WRONG_FOOT 0x002u  /**< the sensor moves like one on the other foot */
#define TINYSTRIDE_TURN 0x004u        /**< the heading changed by more than 30 degrees */
/** The height changed by more than 20 cm, and by more than 15 % of the length */
#define TINYSTRIDE_CLIMB 0x008u
#define TINYSTRIDE_UNUSUAL_DURATION 0x010u /**< the duration is below 0.6 s or above 2 s */
/** The length by integration is outside 40 to 300 cm, or the network's output is at its limit */
#define TINYSTRIDE_OUT_OF_RANGE 0x020u
#define TINYSTRIDE_NOT_WALKING 0x040u /**< this stride or the previous one does not move like walking */
#define TINYSTRIDE_GAP 0x080u         /**< samples of this stride were lost, or a sensor was stuck */
/** The accelerometer reached its full scale, or the clipped gyroscope lost more than 2.6 degrees of rotation */
#define TINYSTRIDE_SATURATED 0x100u
#define TINYSTRIDE_UNSTEADY 0x200u    /**< the foot did not rest at both ends, or the sensor slipped */
#define TINYSTRIDE_INCONSISTENT 0x400u /**< network and integration differ by more than 10 cm */
/** Accelerometer and gyroscope contradict each other: sampling rate, scale, axes or timing are wrong */
#define TINYSTRIDE_SENSORS_DISAGREE 0x800u
/** The samples of this stride are complete, but the stride before it was not reported */
#define TINYSTRIDE_PREVIOUS_MISSING 0x1000u
/** @} */

/**
 * @brief A stride: from one mid-stance of a foot to its next mid-stance.
 *
 * Sample numbers count from tinystride_init() or tinystride_reset(), beginning with 0, and include lost samples. Each
 * instant consists of a sample number and a fraction: it is (sample + fraction) / rate_hz seconds after sample 0.
 */
typedef struct {
    float length_cm;           /**< stride length by integration and network, cm; 30 to 310 if flags is 0 */
    float strapdown_length_cm; /**< stride length by integration alone, cm */
    float duration_s;          /**< duration, s */
    /** mean length, cm, of the last 5 strides without a flag other than TINYSTRIDE_NO_STANDING, each weighted by
     * 1 / length_sd_cm^2; of fewer strides if there are fewer; 0 if there is no such stride */
    float mean5_cm;
    float mean10_cm;           /**< mean length, cm, of the last 10 such strides */
    float length_sd_cm;        /**< standard deviation of length_cm, cm: 95 % of true lengths are within 1.96 of it */
    float latency_s;           /**< time from the end of the stride to this report, s */
    uint32_t start_sample;     /**< sample number of the mid-stance at the start */
    uint32_t end_sample;       /**< sample number of the mid-stance at the end */
    uint32_t contact_sample;   /**< sample number of the initial contact; start_sample if it was not found */
    float start_fraction;      /**< fraction of start_sample, 0 to 1 */
    float end_fraction;        /**< fraction of end_sample, 0 to 1 */
    float contact_fraction;    /**< fraction of contact_sample, 0 to 1 */
    float repaired_deg;        /**< rotation that a clipped gyroscope lost and the repair added, degrees; 0: none */
    uint16_t flags;            /**< quality flags, combined by |; 0 if no flag is set */
} tinystride_stride_t;

/** @cond PRIVATE */
/* Sizes of the state. A block lasts about 1/60 s. */
#define TINYSTRIDE_HISTORY_BLOCKS 208u /* blocks of samples kept: the longest stride and the delay of its report */
#define TINYSTRIDE_MOTION_BLOCKS 128u  /* blocks whose motion is kept */
#define TINYSTRIDE_WINDOW_BLOCKS 7u    /* maximum length of the energy window, blocks */
#define TINYSTRIDE_DURATIONS 10        /* number of durations that are converted to blocks */
#define TINYSTRIDE_STANDING_PARTS 4    /* parts of a standing window: three, and one after it */
#define TINYSTRIDE_CLIPPED_RUNS 12u    /* runs of clipped samples kept */

/* Private: configuration, and values derived from the sampling rate. */
struct tinystride_config {
    uint8_t foot;                         /* TINYSTRIDE_LEFT or TINYSTRIDE_RIGHT */
    uint8_t samples_per_block;
    uint8_t has_full_scale[2];            /* [accelerometer, gyroscope] 1 if the full scale is known */
    uint8_t max_bridged;                  /* maximum length of a gap that is interpolated, samples */
    uint8_t blocks[TINYSTRIDE_DURATIONS]; /* durations, blocks */
    uint16_t window_samples;              /* length of the energy window, samples */
    uint16_t relearn_blocks;              /* time without stance after which the force at stance is relearned, blocks */
    uint32_t min_swing;                   /* minimum rotation of a swing, in the unit of `turned` */
};

/* Private: input of samples, their clock and full scales. */
struct tinystride_input {
    uint8_t repeats[2];           /* [accelerometer, gyroscope] samples in a row at the largest value */
    uint8_t is_reached[2];        /* 1 if the largest value so far is known to be the full scale */
    uint8_t has_clock;            /* 1 after the first time stamp */
    uint8_t jumps;                /* number of jumps by a full scale or more, as in overflowed counts */
    uint8_t repeat_score;         /* score of samples that equal the previous one while the foot turns */
    int16_t saturation_level[2];  /* full scale or, if it is unknown, the largest value so far, counts */
    uint32_t first_sample;        /* number of the first sample of block 0 */
    uint32_t inspect_from[2];     /* abs_sort_key() above which samples are inspected */
    uint32_t last_time_us;        /* time stamp of the last sample, smoothed */
    float rate_hz;                /* sampling rate as configured */
    float last[6];                /* last sample, m/s^2 and rad/s */
    float interval_us, time_gain; /* measured interval between samples, and gain of the loop that measures it */
    float period_s;               /* duration of a block */
};

/* Private: ring of the last runs of samples in which an axis of the gyroscope was clipped. */
struct tinystride_clipped {
    uint8_t next;               /* entry that is replaced next */
    struct {
        uint32_t first;         /* number of the first sample */
        uint16_t n;             /* samples */
        uint8_t axis;           /* 0 to 2 at the positive full scale, 3 to 5 at the negative one */
    } runs[TINYSTRIDE_CLIPPED_RUNS];
};

/* Private: phase of the gait. */
struct tinystride_phase {
    uint8_t on_ground;          /* a stance is open: the foot has not left the ground */
    uint8_t paused;             /* the open stance lasts long and has ended its stride */
    uint8_t has_start;          /* the current stride has a start */
    uint8_t has_candidate;      /* there is a candidate for a mid-stance */
    uint8_t has_stance;         /* there has been a stance */
    uint8_t stationary_blocks;  /* stationary blocks in a row */
    uint8_t event_seen[3];      /* events of the current stride: gap, saturation, jump of the specific force */
};

/* Private: sums over one block. */
struct tinystride_sums {
    int32_t force[3];
    uint32_t energy;
};

/* Private: current block. */
struct tinystride_block {
    uint8_t to_come;            /* samples until the block is complete */
    uint8_t slot;               /* newest entry of the window's sums */
    uint8_t acc_same, gyr_same; /* equal blocks in a row */
    uint32_t number;            /* blocks before this one */
    uint32_t lost;              /* samples lost before the next one */
    uint32_t energy;            /* energy of the angular rate so far */
    uint32_t sum[6];            /* sums of the samples; correct once the block is complete, see clear_block() */
};

/* Private: energy window. */
struct tinystride_window {
    uint32_t energy_total;      /* sum over the window */
    int32_t force_total[3];
    struct tinystride_sums sums[TINYSTRIDE_WINDOW_BLOCKS];
};

/* Private: low-pass filter. */
struct tinystride_lowpass {
    float delay;          /* delay of slow signals, blocks */
    float b0, b1, a1, a2; /* coefficients; b0, b1 and b0 apply to the sums of three blocks */
    float state[6][2];
};

/* Private: search for stances. Unless a unit is given, members are numbers of blocks. */
struct tinystride_stance {
    uint32_t turned;            /* rotation so far, 1/1600 rad/s times blocks */
    uint32_t last_turned;       /* rotation up to the last candidate */
    uint32_t last_moving;       /* last block above the stationary threshold */
    uint32_t candidate;         /* block of minimum motion since the last search */
    uint32_t candidate_turned, candidate_moving; /* `turned` and `last_moving` at the candidate */
    uint32_t searched_until;    /* end of the last search */
    uint32_t mid_stance;        /* candidate of minimum motion in the open stance */
    uint32_t last_candidate;
    uint32_t stationary_end;    /* first moving block after the last candidate, as far as searched */
    uint32_t arrival;           /* first stationary block of the open stance */
    uint32_t relearn_at;        /* end of the search for the force at stance */
    uint32_t min_energy;        /* minimum energy in that search */
    uint16_t candidate_motion, mid_stance_motion; /* motion, 1/1600 rad/s */
    uint16_t searched_motion;   /* motion of the last search's candidate */
    int16_t candidate_force[3], mid_stance_force[3], min_energy_force[3]; /* specific force, counts */
};

/* Private: detection of standing. */
struct tinystride_standing {
    uint8_t blocks;             /* blocks in a row without movement */
    uint8_t count;              /* standing windows so far, 0 to 4 */
    int16_t force[3];           /* specific force in the first of these blocks, counts */
    struct {
        int32_t force[3], gyr[3];
    } parts[TINYSTRIDE_STANDING_PARTS]; /* sums over parts of a window */
};

/* Private: current stride. */
struct tinystride_current {
    uint32_t start;             /* block of the mid-stance at the start */
    uint32_t spread_from;       /* first block of the second moments of the angular rate */
    uint32_t event_first[3], event_last[3]; /* first and last block of each event */
    uint16_t start_q8;          /* start after the block `start`, 1/256 block */
    int16_t start_force[3];     /* specific force of the stance at the start, counts */
};

/* Private: mounting of the sensor, in sensor axes. */
struct tinystride_frame {
    uint8_t has_stance_force, has_frame;
    int16_t stance_force[3];    /* specific force of the foot at stance, counts */
    float up[3];                /* vertical, rotated by the angular rate since the last stance */
    float up_force[3];          /* mean specific force at stance, m/s^2 */
    float gyr_spread[3][3];     /* second moments of the angular rate */
    float left[3];              /* unit vector to the left */
    float forward;              /* mean forward displacement of the last strides, m; negative if `left` points right */
};

/* Private: calibration of the sensor. */
struct tinystride_sensor {
    float bias[3];              /* bias of the gyroscope, rad/s */
    float bias_variance[3][3];  /* covariance of the bias, relative to the variance of one stride's measurement */
    float rest_force;           /* |specific force| while standing or, before that, at the stances, m/s^2 */
    float rest_weight;          /* sum of the weights of these stances */
};

/* Private: share of the drift that arises at initial contact. [forward, vertical] excess velocity times duration. */
struct tinystride_impacts {
    uint8_t n;                  /* strides in the means */
    float mean_m[2];
    float deviation_m[2];       /* mean absolute deviation from mean_m */
};

/* Private: results of earlier strides that the checks use. */
struct tinystride_checks {
    uint8_t previous_missing;   /* 1 if the stride before the next one is missing */
    uint8_t walking_strides;    /* walking strides in a row, 0 to 3; one other stride may be between them */
    uint8_t ordinary_strides, side_strides; /* strides in the means below */
    float end_means[3];         /* see sensors_disagree(): of ends times effect of a delay, and of both squares */
    float side_score;           /* mean score of the foot: near 1 for the configured one, near -1 for the other one */
};

/* Private: lengths of the last strides without flags. */
struct tinystride_results {
    uint8_t n_lengths, next_length;
    float length_cm[10], length_sd_cm[10];
};

/* Private: the last blocks, at index block number modulo size. */
struct tinystride_history {
    uint16_t motion[TINYSTRIDE_MOTION_BLOCKS];      /* motion, 1/1600 rad/s */
    int16_t samples[TINYSTRIDE_HISTORY_BLOCKS][6];  /* low-passed samples, counts */
};

/** @endcond */

/** @brief The state of one foot. Private. May be copied with memcpy between calls. */
typedef struct {
    /** @cond PRIVATE */
    struct tinystride_config config;
    /* The current stream of samples; a gap resets these members. */
    struct tinystride_phase phase;
    struct tinystride_block block;
    struct tinystride_stance stance;
    struct tinystride_current stride;
    struct tinystride_window window;
    /* Learned from the wearer, the sensor and its mounting; a gap keeps these members. */
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
 *
 * If this returns an error, all other functions return TINYSTRIDE_ERROR_STATE.
 * @param ts       state to initialize
 * @param rate_hz  sampling rate, 40 to 420 Hz
 * @param foot     TINYSTRIDE_LEFT or TINYSTRIDE_RIGHT
 * @return TINYSTRIDE_OK, TINYSTRIDE_ERROR_NULL, TINYSTRIDE_ERROR_RATE or TINYSTRIDE_ERROR_FOOT
 */
int tinystride_init(tinystride_t *ts, float rate_hz, int foot);

/**
 * @brief Reset the state, but keep sampling rate, foot and full scales.
 *
 * Call it after the sensor was mounted again, and before a new stream of samples.
 * @param ts  state
 * @return TINYSTRIDE_OK, TINYSTRIDE_ERROR_NULL or TINYSTRIDE_ERROR_STATE
 */
int tinystride_reset(tinystride_t *ts);

/**
 * @brief Set the full scales of the sensor.
 *
 * A sample is saturated from 99.5 % of a known full scale. If the full scale is unknown, samples are saturated after
 * three of them in a row are at the largest value so far. A stride with a saturated accelerometer is flagged
 * TINYSTRIDE_SATURATED. If the gyroscope is saturated, the library estimates the lost rotation and adds it
 * (repaired_deg); the stride is flagged if more than 2.6 degrees were lost.
 * @param ts         state
 * @param acc_mps2   full scale of the accelerometer, m/s^2, for example 156.9 for 16 g; 0 if unknown
 * @param gyr_radps  full scale of the gyroscope, rad/s, for example 34.9 for 2000 degrees/s; 0 if unknown
 * @return TINYSTRIDE_OK, TINYSTRIDE_ERROR_NULL or TINYSTRIDE_ERROR_STATE
 */
int tinystride_set_full_scale(tinystride_t *ts, float acc_mps2, float gyr_radps);

/**
 * @brief Process one sample.
 *
 * The axes are those of the sensor, right-handed and the same for accelerometer and gyroscope. A sample that repeats all
 * values of the last one while the foot turns counts as lost.
 * @param ts         state
 * @param acc_mps2   [3] specific force, m/s^2, -1000 to 1000; at rest 9.81 upwards
 * @param gyr_radps  [3] angular rate, rad/s, -200 to 200
 * @param stride     receives the stride if TINYSTRIDE_STRIDE is returned
 * @return TINYSTRIDE_OK, TINYSTRIDE_STRIDE, TINYSTRIDE_ERROR_NULL, TINYSTRIDE_ERROR_STATE, TINYSTRIDE_ERROR_SAMPLE
 *         or TINYSTRIDE_ERROR_UNITS
 */
int tinystride_push(tinystride_t *ts, const float acc_mps2[3], const float gyr_radps[3],
                    tinystride_stride_t *stride);

/**
 * @brief Process one sample given in counts of the sensor.
 * @param ts               state
 * @param acc              [3] specific force, counts
 * @param gyr              [3] angular rate, counts
 * @param acc_scale_mps2   specific force of one count, m/s^2
 * @param gyr_scale_radps  angular rate of one count, rad/s
 * @param stride           receives the stride if TINYSTRIDE_STRIDE is returned
 * @return like tinystride_push()
 */
int tinystride_push_int16(tinystride_t *ts, const int16_t acc[3], const int16_t gyr[3], float acc_scale_mps2,
                          float gyr_scale_radps, tinystride_stride_t *stride);

/**
 * @brief Process one sample with a time stamp. Detect lost samples and measure the true sampling rate.
 *
 * The true sampling rate must be within 5 % of the configured one. If the time stamp jumps by more than one second,
 * forward or back, an unknown number of samples is missing; strides start again after it. A smaller jump may be an
 * error of the clock instead of lost samples. So a stride in which time stamps are missing while the foot turns is
 * flagged TINYSTRIDE_GAP.
 * @param ts         state
 * @param time_us    time stamp, microseconds; may wrap around from 2^32 - 1 to 0
 * @param acc_mps2   [3] specific force, m/s^2, as for tinystride_push()
 * @param gyr_radps  [3] angular rate, rad/s, as for tinystride_push()
 * @param stride     receives the stride if TINYSTRIDE_STRIDE is returned
 * @return like tinystride_push(), or TINYSTRIDE_ERROR_TIME
 */
int tinystride_push_at(tinystride_t *ts, uint32_t time_us, const float acc_mps2[3], const float gyr_radps[3],
                       tinystride_stride_t *stride);

/**
 * @brief End the stream. Report the last stride if the foot has come to rest.
 *
 * Call tinystride_reset() before the first sample of another stream.
 * @param ts      state
 * @param stride  receives the stride if TINYSTRIDE_STRIDE is returned
 * @return TINYSTRIDE_OK, TINYSTRIDE_STRIDE, TINYSTRIDE_ERROR_NULL or TINYSTRIDE_ERROR_STATE
 */
int tinystride_finish(tinystride_t *ts, tinystride_stride_t *stride);

/**
 * @brief Report that samples were lost before the next sample.
 *
 * A gap of up to 0.03 s is interpolated. Its stride is reported, and flagged TINYSTRIDE_GAP if a velocity of more than
 * 0.1 m/s may be missing.
 *
 * After a longer gap, strides start again at the next mid-stance. The stride with the gap is not reported. The stride
 * before it is not reported either if it ended less than about 0.4 s before the gap. The next stride is flagged
 * TINYSTRIDE_PREVIOUS_MISSING: its own samples are complete.
 *
 * Samples that return TINYSTRIDE_ERROR_SAMPLE, and samples that are missing between two time stamps, count as lost
 * without a call of this function.
 * @param ts       state
 * @param samples  number of lost samples, 0 or more; several calls before the same sample add up
 * @return TINYSTRIDE_OK, TINYSTRIDE_ERROR_NULL or TINYSTRIDE_ERROR_STATE
 */
int tinystride_gap(tinystride_t *ts, uint32_t samples);

#ifdef __cplusplus
}
#endif

#endif
