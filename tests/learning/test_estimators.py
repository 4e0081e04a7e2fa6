import pytest

from tinystride.errors import ParameterError
from tinystride.learning.augmentation import AugmentationOptions
from tinystride.learning.estimators import PRESETS, choose


def test_choose_paper_network_has_its_published_size():
    paper = choose("direct", preset="paper")
    assert (paper.n_parameters, paper.n_multiply_accumulates) == (68_881, 506_752)


def test_choose_tiny_networks_have_few_parameters():
    assert 5_000 <= choose("direct", preset="tiny").n_parameters <= 6_000
    residual = choose("strapdown-residual")
    assert residual.n_parameters <= 500
    assert residual.n_multiply_accumulates <= 8_000


def test_choose_direct_learns_from_short_strides_at_different_paces():
    settings = choose("direct")
    assert set(settings.exclude_flags) == {"not-walking", "unsteady"}
    low, high = AugmentationOptions(**settings.augmentation).duration_scale
    # Strides of 1.1 s become those of a fast walker, 0.8 s, and of a slow one, 1.4 s.
    assert 1.1 * low <= 0.8 and 1.1 * high >= 1.4


def test_choose_residual_presets_have_their_named_size():
    sizes = [
        choose("strapdown-residual", preset=name).n_parameters for name in ("1000", "2000", "4000", "7000")
    ]
    for size, named in zip(sizes, (1000, 2000, 4000, 7000), strict=True):
        assert 0.97 * named <= size <= named


def test_choose_each_value_of_a_preset_can_be_changed():
    settings = choose("direct", preset="paper", filters=[4, 8, 4], learning_rate=0.01, dense=[], loss=None)
    assert settings.filters == (4, 8, 4)
    assert settings.dense == ()
    assert settings.learning_rate == 0.01
    assert settings.loss == PRESETS["direct"]["paper"].loss


def test_choose_parameter_overrides_schedule():
    settings = choose("direct", preset="paper", schedule="paper", epochs=3)
    assert (settings.lr_schedule, settings.learning_rate, settings.epochs) == ("constant", 1e-3, 3)


@pytest.mark.parametrize(
    ("estimator", "parameters", "says"),
    [
        ("neural", {}, "^estimator is 'neural': it has to be one of strapdown-residual, direct"),
        ("direct", {"preset": "500"}, "^train.preset is '500': it has to be one of tiny, paper"),
        ("direct", {"schedule": "slow"}, "^train.schedule is 'slow': it has to be one of fast, paper"),
        ("direct", {"rate": 1}, "train.rate: unknown; there are features, points"),
        ("direct", {"estimator": "x"}, "train.estimator"),
        ("direct", {"features": "raw"}, "^train.features is 'raw': it has to be one of strapdown, "),
        (
            "direct",
            {"feet": ["both"]},
            "^train.feet is .*: .* each entry one of left, right",
        ),
        (
            "direct",
            {"exclude_flags": ["running"]},
            "^train.exclude_flags is .*: .* each entry one of no-",
        ),
        ("direct", {"exclude_flags": "turn"}, "^train.exclude_flags is 'turn': it has to be a list"),
        ("direct", {"loss": "l1"}, "^train.loss is 'l1': it has to be one of mean-squared, huber"),
        ("direct", {"lr_schedule": "up"}, "^train.lr_schedule is 'up': it has to be one of"),
        ("direct", {"points": 8}, "^train.points is 8: it has to be a whole number from 16 to 512"),
        ("direct", {"epochs": 0}, "^train.epochs is 0: it has to be a whole number from 1 to 100000"),
        ("direct", {"epochs": 2.5}, "^train.epochs is 2.5: "),
        ("direct", {"batch_size": True}, "^train.batch_size is True: "),
        ("direct", {"learning_rate": 0}, "^train.learning_rate is 0: it has to be a number from 1e-08 to 1"),
        ("direct", {"learning_rate": float("nan")}, "^train.learning_rate is nan: "),
        ("direct", {"huber_delta_cm": "5"}, "^train.huber_delta_cm is '5': "),
        (
            "direct",
            {"filters": 8},
            "^train.filters is 8: it has to be a list that is not empty",
        ),
        ("direct", {"filters": []}, "^train.filters is .*: it has to be a list that is not empty"),
        (
            "direct",
            {"filters": [8, 0, 8]},
            "^train.filters is .8, 0, 8.: .* a whole number from 1 to 256",
        ),
        ("direct", {"kernels": [5]}, "train.filters, train.kernels and train.strides: 2, 1 and 2 values"),
        ("direct", {"dense": [4096]}, "^train.dense is .4096,.: .*each entry a whole number from 1 to 1024"),
        ("direct", {"dataset_weights": [1]}, "^train.dataset_weights is .*: it has to be a mapping"),
        (
            "direct",
            {"augmentations_per_stride": -1},
            "^train.augmentations_per_stride is -1: it has to be a whole number from 0 to 100",
        ),
        (
            "direct",
            {"half_rate_share": 1.5},
            "^train.half_rate_share is 1.5: .* a number from 0 to 1",
        ),
        ("direct", {"points": 60}, "train.augmentations_per_stride: augmented strides have 64 points"),
        (
            "direct",
            {"preset": "paper", "augmentations_per_stride": 2},
            "train.augmentations_per_stride: strides from contact to contact",
        ),
        ("direct", {"augmentation": 3}, "^train.augmentation is 3: it has to be a mapping"),
        (
            "direct",
            {"augmentation": {"scale": 2}},
            "train.augmentation.scale: unknown; there are horizontal_sc",
        ),
        ("direct", {"augmentation": {"pitch_scale": 2}}, "augmentation.pitch_scale is 2: it has to be two"),
        ("direct", {"dataset_weights": {"llio-ruler": -1}}, "^train.dataset_weights.llio-ruler is -1: "),
    ],
)
def test_choose_invalid_value_is_rejected(estimator, parameters, says):
    with pytest.raises(ParameterError, match=says):
        choose(estimator, **parameters)
