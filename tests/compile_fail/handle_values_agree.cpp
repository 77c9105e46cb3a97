// SPDX-License-Identifier: BSL-1.0
// Handles convert when value, error and terminal agree.
// expect: conversion|convert|no viable
#include <settle/settle.hpp>

#include <utility>

struct fetch : settle::default_policy {
  using value_type = int;
};

#ifdef SETTLE_REJECT
settle::handle_of<long> convert(settle::handle<fetch> h) { return std::move(h); }
#else
settle::handle_of<int> convert(settle::handle<fetch> h) { return std::move(h); }
#endif
