// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_INTERPRETER_HPP
#define SETTLE_TESTS_MODEL_INTERPRETER_HPP

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "core_run.hpp"
#include "sequential.hpp"

namespace model {

inline std::string compare(picture const& wanted, picture const& got, std::string const& when) {
  if (wanted == got) return {};
  return when + "\nthe model:   " + text(wanted) + "\nthe library: " + text(got);
}

template <class Run>
inline constexpr setting like{Run::queued, Run::values_die, Run::values_copied};

/// What must hold of any run, whatever the model says: nothing of the user's or the library's is left.
class books {
 public:
  std::string differ() const {
    std::string wrong;
    for (std::size_t i = 0; i != std::size(names); ++i)
      if (long const more = now().counts_[i] - counts_[i]; more != 0)
        wrong += std::string(names[i]) + " are left: " + std::to_string(more) + "\n";
    return wrong;
  }
  static books now() { return books{{alive_token::count, test::tracked::alive, test::ledger::blocks, test::counting_monitor::live()}}; }

 private:
  static constexpr char const* names[] = {"functions of the user's", "values", "blocks", "operations"};
  explicit books(std::array<long, 4> c) : counts_(c) {}
  std::array<long, 4> counts_;
};

/// Plays the acts on both, and compares all that can be seen after each. Empty, or what differs. What is not possible is left out.
template <class P, class Place>
std::string differs(unsigned char const* acts_to_play, std::size_t size) {
  std::string wrong;
  books const before = books::now();
  {
    core_run<P, Place> core;
    sequential plain(like<core_run<P, Place>>);
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
  if (wrong.empty()) wrong = before.differ();
  if (wrong.empty()) return {};
  return text(bytes(acts_to_play, acts_to_play + size)) + (Place::queued ? " (queued): " : ": ") + wrong;
}

/// In all settings.
inline std::string differs(bytes const& acts_to_play) {
  std::string wrong = differs<short_cuts, at_once>(acts_to_play.data(), acts_to_play.size());
  if (wrong.empty()) wrong = differs<long_way, in_a_loop>(acts_to_play.data(), acts_to_play.size());
  if (wrong.empty()) wrong = differs<watched_way, in_a_loop>(acts_to_play.data(), acts_to_play.size());
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
