// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_SCHEDULE_HPP
#define SETTLE_TESTING_WEAVE_SCHEDULE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace settle::inline v0::testing::weave {

/// Who takes a step, and which of its choices.
struct turn {
  std::uint8_t thread;
  std::uint8_t choice;
  bool operator==(turn const&) const = default;
};
using schedule = std::vector<turn>;

inline char thread_letter(unsigned thread) { return thread == 0 ? 'M' : static_cast<char>('A' + thread - 1); }

/// As text: each turn the thread's letter (M sets up and checks) and its choice when that is not 0; a repetition as `*n`. A point behind
/// it: additions have the order they are executed in.
inline std::string to_text(schedule const& s, bool in_order = false) {
  std::string text;
  for (std::size_t i = 0; i != s.size();) {
    std::size_t n = 1;
    while (i + n != s.size() && s[i + n] == s[i]) ++n;
    text += thread_letter(s[i].thread);
    if (s[i].choice != 0) text += std::to_string(s[i].choice);
    if (n != 1) (text += '*') += std::to_string(n);
    i += n;
  }
  if (in_order) text += '.';
  return text;
}
inline bool is_in_order(std::string_view text) noexcept { return text.ends_with('.'); }

/// The other way round; what is no schedule ends it.
inline schedule to_schedule(std::string_view text) {
  schedule s;
  std::size_t at = 0;
  auto const number = [&] {
    std::size_t n = 0;
    while (at != text.size() && text[at] >= '0' && text[at] <= '9') n = n * 10 + static_cast<std::size_t>(text[at++] - '0');
    return n;
  };
  while (at != text.size()) {
    char const letter = text[at++];
    if (letter != 'M' && (letter < 'A' || letter > 'G')) break;
    turn t{static_cast<std::uint8_t>(letter == 'M' ? 0 : letter - 'A' + 1), 0};
    t.choice = static_cast<std::uint8_t>(number());
    std::size_t n = 1;
    if (at != text.size() && text[at] == '*') {
      ++at;
      n = number();
    }
    s.insert(s.end(), n, t);
  }
  return s;
}

}  // namespace settle::inline v0::testing::weave

#endif
