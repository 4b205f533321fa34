"""Schools, guardians and students: who the wallets belong to."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from engine.demo.chance import pick
from engine.demo.names import CITIES, FAMILIES, MEN, SCHOOLS, STAGES, WOMEN, Name

STUDENTS_A_SCHOOL = 400
STAGE_SHARES = {"primary": 50, "intermediate": 27, "secondary": 23}  # of 100 students
CHILDREN = (1, 1, 1, 2, 2, 3)  # of one guardian at one school


@dataclass(frozen=True, kw_only=True)
class School:
    """A school and the students it has: numbers `first` up to, not including, `beyond`."""

    id: int
    name: Name
    stage: str
    pupils: str
    city: Name
    first: int
    beyond: int


@dataclass(frozen=True, kw_only=True)
class Roll:
    """Every school, in the order of its students; a stage's students follow each other."""

    schools: Sequence[School]

    @property
    def stages(self) -> Mapping[str, range]:
        """The student numbers (from 0) of each stage."""
        bounds: dict[str, range] = {}
        for school in self.schools:
            first = bounds[school.stage].start if school.stage in bounds else school.first
            bounds[school.stage] = range(first, school.beyond)
        return bounds


def enrol(students: int, random: Random) -> Roll:
    """Spread the students over schools of about 400, boys and girls apart."""
    schools: list[School] = []
    start, share = 0, 0
    for stage, part in STAGE_SHARES.items():
        share += part
        end = students * share // 100
        count = max(1, round((end - start) / STUDENTS_A_SCHOOL))
        for number in range(count):
            schools.append(
                School(
                    id=len(schools) + 1,
                    name=_school_name(stage, random),
                    stage=stage,
                    pupils="girls" if len(schools) % 2 else "boys",
                    city=pick(CITIES, random),
                    first=start + (end - start) * number // count,
                    beyond=start + (end - start) * (number + 1) // count,
                )
            )
        start = end
    return Roll(schools=schools)


def insert_people(connection: sqlite3.Connection, roll: Roll, random: Random) -> int:
    """Write the schools, guardians and students; the number of guardians."""
    connection.executemany(
        "INSERT INTO schools VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((s.id, *s.name, s.stage, s.pupils, *s.city) for s in roll.schools),
    )
    guardians = 0
    for school in roll.schools:
        families = list(_families(school, guardians, random))
        guardians += len(families)
        connection.executemany(
            "INSERT INTO guardians VALUES (?, ?, ?, ?)", (family.guardian for family in families)
        )
        connection.executemany(
            "INSERT INTO students VALUES (?, ?, ?, ?, ?)",
            (student for family in families for student in family.students),
        )
    return guardians


@dataclass(frozen=True)
class _Family:
    guardian: tuple[object, ...]
    students: Sequence[tuple[object, ...]]


def _families(school: School, guardians: int, random: Random) -> Iterator[_Family]:
    given = WOMEN if school.pupils == "girls" else MEN
    number = school.first
    while number < school.beyond:
        guardians += 1
        father, family = pick(MEN, random), pick(FAMILIES, random)
        children = min(pick(CHILDREN, random), school.beyond - number)
        students = [
            (child + 1, school.id, guardians, *_full(pick(given, random), father, family))
            for child in range(number, number + children)
        ]
        # example.com can belong to nobody, unlike a made-up telephone number.
        guardian = (guardians, *_full(father, family), f"guardian{guardians}@example.com")
        yield _Family(guardian, students)
        number += children


def _school_name(stage: str, random: Random) -> Name:
    # Arabic names the stage first or last by school; last reads well with every name here.
    name, kind = pick(SCHOOLS, random), STAGES[stage]
    return Name(f"مدرسة {name.ar} {kind.ar}", f"{name.en} {kind.en}")


def _full(*names: Name) -> Name:
    return Name(" ".join(name.ar for name in names), " ".join(name.en for name in names))
