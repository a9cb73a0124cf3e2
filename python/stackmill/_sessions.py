"""What both kinds of work ask of a Spark session: rows to the partition of their number, a setting for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def carried(frame: DataFrame, partitions: int, column: str) -> DataFrame:
    """Every row in the partition of its number; partitions to which none goes are there, and empty."""
    if hasattr(frame, "repartitionById"):  # since Spark 4.1
        return frame.repartitionById(partitions, column)
    from pyspark.sql import functions

    found = functions.array(*(functions.lit(salt) for salt in salts(frame.sparkSession, partitions)))
    return frame.repartition(partitions, found[functions.col(column)])


def salts(spark: SparkSession, partitions: int) -> list[int]:
    """For each partition a number that Spark's own hash sends there."""
    from pyspark.sql import functions

    found: dict[int, int] = {}
    start, count = 0, 16 * partitions
    while len(found) < partitions:
        numbers = spark.range(start, start + count).select(functions.col("id").cast("int").alias("salt"))
        place = functions.pmod(functions.hash("salt"), functions.lit(partitions))
        for row in numbers.select("salt", place.alias("place")).collect():
            found.setdefault(row.place, row.salt)
        start += count
    return [found[partition] for partition in range(partitions)]


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    """Changes one, and puts it back."""
    before = spark.conf.get(name, None)
    spark.conf.set(name, value)
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, before)
