// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_GENERATED_ACTS_HPP
#define SETTLE_TESTS_EXPLORE_GENERATED_ACTS_HPP

#include <settle/testing/weave.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "books.hpp"
#include "scenario.hpp"

// All multisets of acts, and the settings they are explored in.
namespace explore {

struct setting {
  bool parent;
  bool counted_values;
  bool monitored;
  char const* name;
};
inline constexpr setting settings[] = {{true, false, false, "with a parent"},
                                       {false, false, false, "bare"},
                                       {true, true, true, "with a parent, values that count, monitored"},
                                       {false, true, false, "bare, values that count"}};

inline bool possible(std::vector<act> const& todo, setting const& s) {
  for (act a : todo)
    if (needs_parent(a) && !s.parent) return false;
  return true;
}

inline weave::report run(std::vector<act> const& todo, setting const& s, weave::options const& how) {
  return weave::explore(
      [&](weave::world& w) {
        if (!s.counted_values) scenario<int, false>(w, todo, s.parent);
        else if (s.monitored) scenario<token, true>(w, todo, s.parent);
        else scenario<token, false>(w, todo, s.parent);
      },
      how);
}

inline std::string name_of(std::vector<act> const& todo, setting const& s) {
  std::string name;
  for (act a : todo) name += std::string(name.empty() ? "" : " | ") + act_names[static_cast<std::size_t>(a)];
  return name + ", " + s.name;
}

/// The multisets of k acts, in order.
inline std::vector<std::vector<act>> multisets(unsigned k) {
  std::vector<std::vector<act>> all = {{}};
  for (unsigned i = 0; i != k; ++i) {
    std::vector<std::vector<act>> longer;
    for (auto const& m : all)
      for (std::size_t a = m.empty() ? 0 : static_cast<std::size_t>(m.back()); a != acts; ++a) {
        longer.push_back(m);
        longer.back().push_back(static_cast<act>(a));
      }
    all = std::move(longer);
  }
  return all;
}

}  // namespace explore

#endif
