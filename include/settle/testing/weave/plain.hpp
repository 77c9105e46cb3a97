// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_PLAIN_HPP
#define SETTLE_TESTING_WEAVE_PLAIN_HPP

#include <source_location>
#include <type_traits>
#include <utility>

#include "execution.hpp"

namespace settle::inline v0::testing::weave {

/// A T that one thread at a time may use: accesses that nothing orders are reported. Reads as T, and is written by assigning.
template <class T>
class plain {
  using place = std::source_location;

 public:
  plain() : plain(T()) {}
  plain(T v) : value_(std::move(v)) { begin(); }
  plain(plain const& o) : value_(o.read()) { begin(); }
  plain& operator=(plain const& o) {
    write() = o.read();
    return *this;
  }
  ~plain() {
    if (execution* const e = execution::current()) e->plain_write(record_, this, place::current());
    record_.self = nullptr;
  }

  T const& read(place at = place::current()) const {
    if (execution* const e = execution::current()) e->plain_read(record_, this, at);
    return value_;
  }
  T& write(place at = place::current()) {
    if (execution* const e = execution::current()) e->plain_write(record_, this, at);
    return value_;
  }
  operator T const&() const { return read(); }
  plain& operator=(T v) {
    write() = std::move(v);
    return *this;
  }
  T const& operator->() const
    requires(std::is_pointer_v<T>)
  {
    return read();
  }

 private:
  void begin() noexcept {
    if (execution* const e = execution::current()) e->plain_begin(record_, this);
    else record_.self = this;
  }

  T value_;
  mutable access_record record_;
};

}  // namespace settle::inline v0::testing::weave

#endif
