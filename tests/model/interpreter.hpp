// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_INTERPRETER_HPP
#define SETTLE_TESTS_MODEL_INTERPRETER_HPP

#include <optional>
#include <string>

#include "core_run.hpp"
#include "sequential.hpp"

namespace model {

inline std::string compare(picture const& wanted, picture const& got, std::string const& when) {
  if (wanted == got) return {};
  return when + "\nthe model:   " + text(wanted) + "\nthe library: " + text(got);
}

/// What must hold of any run, whatever the model says: nothing of the user's or the library's is left.
inline std::string books() {
  std::string wrong;
  if (alive_token::count != 0) wrong += "functions of the user's are left: " + std::to_string(alive_token::count) + "\n";
  if (test::tracked::alive != 0) wrong += "values are left: " + std::to_string(test::tracked::alive) + "\n";
  if (test::ledger::blocks != 0) wrong += "blocks are left: " + std::to_string(test::ledger::blocks) + "\n";
  if (test::counting_monitor::live() != 0) wrong += "operations are left\n";
  return wrong;
}

/// Plays the acts on both, and compares all that can be seen after each. Empty, or what differs. What is not possible is left out.
template <class P, class Place>
std::string differs(unsigned char const* acts_to_play, std::size_t size) {
  std::string wrong;
  {
    core_run<P, Place> core;
    sequential plain(Place::queued, core_run<P, Place>::values_die);
    core.follows(plain);
    for (std::size_t n = 0; n != size; ++n) {
      step const s = step::of(acts_to_play[n]);
      if (s.what == act::nest && n + 1 != size) {
        step const then = step::of(acts_to_play[++n]);
        if (plain.nest(s.on, then)) core.nest(plain.newest(s.on), then);
        continue;
      }
      if (!plain.possible(s)) continue;
      int const wanted = plain.play(s);
      int const got = core.play(s);
      if (wanted != got)
        wrong = "the model's call says " + std::to_string(wanted) + ", the library's " + std::to_string(got) + " after act " +
                std::to_string(n + 1);
      if (wrong.empty() && !core.agrees(plain.look())) wrong = compare(plain.look(), core.look(), "after act " + std::to_string(n + 1));
      if (core_run<P, Place>::values_die && wrong.empty() && plain.values() >= 0 && plain.values() != test::tracked::alive)
        wrong = "values after act " + std::to_string(n + 1) + ": " + std::to_string(plain.values()) + " expected, there are " +
                std::to_string(test::tracked::alive);
      if (!wrong.empty()) break;
    }
    plain.finish();
    core.finish();
    if (wrong.empty()) wrong = compare(plain.look(), core.seen(), "when everything is gone");
  }
  if (wrong.empty()) wrong = books();
  if (wrong.empty()) return {};
  return text(bytes(acts_to_play, acts_to_play + size)) + (Place::queued ? " (queued): " : ": ") + wrong;
}

/// In both settings.
inline std::string differs(bytes const& acts_to_play) {
  std::string wrong = differs<short_cuts, test::at_once>(acts_to_play.data(), acts_to_play.size());
  if (wrong.empty()) wrong = differs<long_way, test::in_a_loop>(acts_to_play.data(), acts_to_play.size());
  return wrong;
}

/// Takes acts away as long as it still differs: the fewest that show it.
inline bytes shortened(bytes all) {
  for (bool again = true; again;) {
    again = false;
    for (std::size_t n = 0; n != all.size();) {
      bytes fewer = all;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(n));
      if (differs(fewer).empty()) {
        ++n;
      } else {
        all = std::move(fewer);
        again = true;
      }
    }
  }
  return all;
}

}  // namespace model

#endif
