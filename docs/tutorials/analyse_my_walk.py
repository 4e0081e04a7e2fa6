# %% [markdown]
# # Analyse my walk
#
# From a csv file with the samples of two shoe-worn sensors to stride lengths, a summary and a picture, in a
# few seconds.
#
# You need the light installation with pictures, `pip install '/path/to/tinystride[plot]'`, and a recording.
# This tutorial uses `walk.csv`, a **simulated** walk of both feet at 100 Hz: 3 s of standing, 9 strides, a
# half turn, 9 strides back. To use your own recording, put its name in the next cell.

# %%
import textwrap
from pathlib import Path

import tinystride

recording = Path("walk.csv")

# %% [markdown]
# ## Read the recording
#
# `read` finds the columns, units, sampling rate and feet in the file. Always read what it has found: a
# wrong unit is easily overlooked, and every length would be wrong. If a file allows two readings, `read`
# raises an error that names the option to give, for example `tinystride.read(recording, acc_unit="g")`.

# %%
walk = tinystride.read(recording)
print(f"feet: {', '.join(walk.feet)}; duration: {walk.duration_s:.1f} s")
print(textwrap.fill(walk.assumed, 76))

# %% [markdown]
# ## Estimate the strides
#
# A stride lies between two mid-stances of the same foot, where the sole is flat on the floor. `estimate`
# returns one row for each stride and foot. `engine="c"` would run the C library, which gives the strides
# that the sensor itself would report; the default uses the whole recording.

# %%
result = tinystride.estimate(walk)
columns = ["foot", "start_s", "stride_length_cm", "stride_length_low_cm", "stride_length_high_cm", "quality"]
shown = result.strides[columns].round(2).rename(columns=lambda name: name.removeprefix("stride_"))
print(shown.groupby("foot").head(6).to_string(index=False))

# %% [markdown]
# These are the first strides of each foot. `stride_length_low_cm` and `stride_length_high_cm` are the
# limits of the 95 % interval of each length. The first stride is short, as the foot starts beside the other
# one.
#
# ## Understand the flags
#
# `quality` is `ok`, or it names the flags that explain why a length may be unreliable. This walk has two
# kinds:

# %%
flagged = result.strides[result.strides.quality != "ok"]
print(flagged.groupby("quality").size().to_string())

# %% [markdown]
# - `turn`: the heading changed by more than 30° within the stride. The length is the straight distance
#   between the two mid-stances, so it is shorter than the path of the foot. It still counts in the distance
#   walked.
# - `gap`: samples were lost within the stride, here 8 of them. The foot moved while nothing was measured:
#   the left stride is about 14 cm too short, the right one 7 cm too long. Do not use such a length.
#
# All flags are explained in [Method](../method.md).
#
# ## Summarize the walk
#
# The summary uses **steady** strides only: without flags, and without the first and the last stride of a
# walk, which are shorter because the feet start and end side by side.

# %%
(person,) = result.summary["people"]
print(f"strides: {person['strides']['found']} found, {person['strides']['steady']} steady")
print(f"left out: {person['strides']['left_out']}")
print(f"distance: {person['distance_m']:.1f} m for each foot, on average")
for name in ("stride_length_cm", "speed_mps", "cadence_spm", "double_support_s"):
    values = person["parameters"][name]
    print(f"{name}: mean {values['mean']:.2f}, SD {values['sd']:.2f}, {values['n']} strides")
for name, percent in person["asymmetry_percent"].items():
    print(f"{name}: left minus right is {percent:+.1f} % of the mean")

# %% [markdown]
# The simulated person walked at 1.25 m/s on the straight parts. The estimated speed should agree with that
# within a few percent.
#
# ## Look at the walk
#
# The picture shows the walk from above and from the side, the angular rate, and the length of each stride
# over time. Flagged strides are orange. Look at it before you trust a number: a sensor that slipped or a
# wrong foot is seen at once.

# %%
result.plot("picture.png")
result.to_csv("strides.csv")
print(f"written: picture.png, strides.csv with {len(result.strides)} strides")

# %% [markdown]
# ![The walk from above and from the side, angular rate and stride lengths over time](picture.png)
#
# ## The same on the command line
#
# ```sh
# tinystride predict walk.csv -o strides.csv --summary --plot picture.png
# ```
#
# All columns of the table are explained in [Gait parameters](../parameters.md), and the files that can be
# read in [Recordings](../recordings.md).
