// SPDX-License-Identifier: BSL-1.0
// One of each kind of combinator.
#include <settle/settle.hpp>

#include <string>
#include <utility>

using namespace std::chrono_literals;

settle::handle_of<std::string> use(settle::handle_of<std::string> name, settle::handle_of<int> times, settle::handle_of<int> other) {
  auto first = settle::race(std::move(times), std::move(other));
  auto both = settle::all(std::move(name), std::move(first));
  return std::move(both) | settle::then([](auto&& v) { return std::get<0>(v) + std::to_string(std::get<1>(v).index()); }) |
         settle::or_else([](settle::error const&) { return std::string("nobody"); }) | settle::finally([](settle::ending) {});
}
