"""Where in a walk a stride lies: walking bouts, and their first and last strides."""

import numpy as np
import pandas as pd

# Mobilise-D ends a walking bout with a rest of more than 3 s (Kluge et al., PLoS ONE 2021, 16(8), e0256541).
MAX_PAUSE_S = 3.0
SAME_INSTANT_S = 1e-6


def place_in_walk(strides: pd.DataFrame) -> pd.DataFrame:
    """For each stride of one foot, in order of time: `bout`, counted from 1, and `position`.

    strides: start_s, end_s
    position: "first" and "last" for the strides next to standing still or to the ends of a bout, which are
        shorter than the others; "only" where a stride is both; otherwise "middle"
    """
    start_s, end_s = strides["start_s"].to_numpy(float), strides["end_s"].to_numpy(float)
    pause_s = start_s[1:] - end_s[:-1]
    after_pause = np.concatenate([[True], pause_s > SAME_INSTANT_S])[: len(strides)]
    before_pause = np.concatenate([pause_s > SAME_INSTANT_S, [True]])[-len(strides) :][: len(strides)]
    bout = 1 + np.concatenate([[0], np.cumsum(pause_s > MAX_PAUSE_S)])[: len(strides)]
    position = np.select(
        [after_pause & before_pause, after_pause, before_pause], ["only", "first", "last"], "middle"
    )
    return pd.DataFrame({"bout": bout.astype(int), "position": position.astype(object)}, index=strides.index)
