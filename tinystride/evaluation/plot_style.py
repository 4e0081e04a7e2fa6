"""Define the common style of all plots: colours, fonts, and the centimetre."""

from tinystride.optional import extra

with extra("plot"):
    from cycler import cycler

# Okabe and Ito's colours, which are distinct for all types of colour vision.
BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#000000"
COLOURS = [BLUE, ORANGE, GREEN, PURPLE, SKY, BLACK]
GREY = "#808080"
STYLE = {
    "figure.dpi": 150, "figure.constrained_layout.use": True, "font.size": 9, "axes.titlesize": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#E6E6E6",
    "axes.axisbelow": True, "axes.prop_cycle": cycler(color=COLOURS), "legend.frameon": False,
}  # fmt: skip
CM = 1 / 2.54  # inches
