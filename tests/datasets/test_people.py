"""Age, height and sex of people, from small files and from the recorded sets."""

import json

import pytest

from tinystride.datasets.loading import TRIPOD_EXCERPT, load_recordings
from tinystride.datasets.people import COLUMNS, read_people
from tinystride.errors import DataError


@pytest.fixture
def raw(tmp_path):
    ipol = tmp_path / "ipol-healthy" / "GaitData"
    ipol.mkdir(parents=True)
    person = {"Age": 49, "Gender": "F", "Height": 175.0, "Weight": float("nan")}
    (ipol / "1-1.json").write_text(json.dumps(person))
    (ipol / "12-2.json").write_text(json.dumps({"Age": 26, "Gender": "M", "Height": 167.0, "Weight": 60.0}))
    tripod = tmp_path / "tripod-excerpt" / TRIPOD_EXCERPT
    tripod.mkdir(parents=True)
    header = "Subject Alias;Age (yr);Sex;Weight (kg);Height (cm)"
    (tripod / "MetaInfo.csv").write_text(f"{header}\nFZ;24;M;70,5;172,5\n")
    return tmp_path


def test_read_people_of_three_sets_keeps_order_and_unknown_values(raw):
    wanted = [("vicon", "2017-11-22"), ("ipol-healthy", "12"), ("tripod-excerpt", "Sub_FZ")]
    people = read_people(raw, [*wanted, ("ipol-healthy", "1"), wanted[0]])
    assert list(people) == COLUMNS
    assert list(zip(people["dataset"], people["subject"], strict=True)) == [*wanted, ("ipol-healthy", "1")]
    vicon, twelve, tripod, one = people.itertuples(index=False)
    assert vicon.sex == "" and people.iloc[0, 2:5].isna().all()
    assert (twelve.age_years, twelve.height_cm, twelve.weight_kg, twelve.sex) == (26.0, 167.0, 60.0, "male")
    assert (tripod.age_years, tripod.height_cm, tripod.weight_kg, tripod.sex) == (24.0, 172.5, 70.5, "male")
    assert (one.age_years, one.sex) == (49.0, "female") and people["weight_kg"].isna()[3]


def test_read_people_of_a_simulated_set_is_unknown(raw):
    people = read_people(raw, [("simulated", "S01")])
    assert len(people) == 1 and people.iloc[0, 2:5].isna().all() and people["sex"][0] == ""


@pytest.mark.parametrize("text", ["{", "[]", '{"Age": "old"}'])
def test_read_people_of_a_damaged_file_is_refused(raw, text):
    (raw / "ipol-healthy" / "GaitData" / "1-1.json").write_text(text)
    with pytest.raises(DataError, match=r"1-1\.json: does not describe a person .*; download it again"):
        read_people(raw, [("ipol-healthy", "1")])


def test_read_people_of_the_recorded_sets_finds_all_of_ipol(raw_folder):
    names = ["ipol-healthy", "tripod-excerpt"]
    subjects = {(each.dataset, each.subject) for each in load_recordings(raw_folder, names)}
    people = read_people(raw_folder, sorted(subjects))
    assert len(people) == 20 and people["age_years"].between(24, 79).all()
    assert people["height_cm"].notna().sum() == 18 and (people["sex"] == "female").sum() == 8
