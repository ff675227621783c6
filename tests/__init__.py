"""Tests. A package, so that directories below it cannot be taken for the packages they test."""
