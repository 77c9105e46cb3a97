// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_TRACE_HPP
#define SETTLE_TESTING_WEAVE_TRACE_HPP

#include <cstdint>
#include <cstdio>
#include <source_location>
#include <string>
#include <string_view>

#include "location.hpp"
#include "step.hpp"

namespace settle::inline v0::testing::weave {

/// Writes down what happens, a line for each step. Only when an execution is repeated to be shown.
class tracer {
 public:
  bool on = false;

  void add(std::string_view thread, operation const& op, std::uint32_t where, bits v, bool stale, std::source_location at) {
    static constexpr char const* names[] = {"load", "store", "exchange", "compare_exchange", "lock",
                                            "take", "wait",  "resume",   "choose",           "none"};
    std::string_view file = at.file_name();
    file.remove_prefix(file.find_last_of('/') + 1);
    char line[256];
    std::snprintf(line, sizeof line, "%4u %-16.*s %.*s:%u: %s of #%u: 0x%llx%s\n", ++lines_, static_cast<int>(thread.size()), thread.data(),
                  static_cast<int>(file.size()), file.data(), static_cast<unsigned>(at.line()), names[static_cast<int>(op.kind)], where,
                  static_cast<unsigned long long>(v.low), stale ? " (an old value)" : "");
    put(line);
  }
  void add(std::string_view thread, std::string_view what) {
    if (!on) return;
    char line[256];
    std::snprintf(line, sizeof line, "%4u %-16.*s %.*s\n", ++lines_, static_cast<int>(thread.size()), thread.data(),
                  static_cast<int>(what.size()), what.data());
    put(line);
  }
  void begin() {
    text_.clear();
    last_.clear();
    lines_ = 0;
  }
  std::string text() const { return text_ + (last_.empty() ? "" : "...\n" + last_); }

 private:
  /// A livelock is long: its begin and its end will do.
  void put(char const* line) {
    if (lines_ <= 300) {
      text_ += line;
      return;
    }
    last_ += line;
    if (last_.size() > 8000) last_.erase(0, last_.find('\n', 4000) + 1);
  }

  std::string text_;
  std::string last_;
  unsigned lines_ = 0;
};

}  // namespace settle::inline v0::testing::weave

#endif
