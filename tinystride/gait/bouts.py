"""Number the walking bouts, and mark the first and the last stride of each."""

import numpy as np
import pandas as pd

# A longer pause ends a walking bout (Mobilise-D; Kluge et al., PLoS ONE 2021, 16(8), e0256541).
MAX_PAUSE_S = 3.0
SAME_INSTANT_S = 1e-6


def place_in_walk(strides: pd.DataFrame) -> pd.DataFrame:
    """Return the place of each stride in the walk: a table with the index of `strides`.

    - bout: number of the walking bout, from 1
    - position: "first" after a pause and "last" before one: these strides are shorter than the others; "only"
      if a stride is both; otherwise "middle"

    Args:
        strides: [n] strides of one foot with start_s and end_s, in order of time
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
