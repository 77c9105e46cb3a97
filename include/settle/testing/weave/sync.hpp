// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_SYNC_HPP
#define SETTLE_TESTING_WEAVE_SYNC_HPP

#include <chrono>
#include <cstddef>
#include <source_location>

#include "../../policy/terminal.hpp"
#include "atomic.hpp"
#include "plain.hpp"
#include "word.hpp"

namespace settle::inline v0::testing::weave {

/// A mutex inside of an exploration: whoever cannot have it is not run.
class mutex {
  using place = std::source_location;

 public:
  void lock(place at = place::current()) { word_.lock(at); }
  bool try_lock(place at = place::current()) { return word_.try_lock(at); }
  void unlock(place at = place::current()) { word_.set(0, at); }

 private:
  word word_;
};

/// What std_sync::event is, inside of an exploration. A deadline passes whenever it may: waiting until one is a load.
class event {
  using place = std::source_location;

 public:
  void set(place at = place::current()) { word_.set(1, at); }
  void wait(place at = place::current()) { word_.wait_nonzero(at); }
  template <class Clock, class Duration>
  bool wait_until(std::chrono::time_point<Clock, Duration> const&, place at = place::current()) {
    return word_.is_nonzero(at);
  }

 private:
  word word_;
};

/// The Sync of the explorer: what the library's templates are made of to be explored as they are.
struct sync {
  template <class T>
  using atomic = weave::atomic<T>;
  template <class T>
  using plain = weave::plain<T>;
  using mutex = weave::mutex;
  using event = weave::event;

  template <class T>
  static T& per_thread() noexcept {
    execution* const e = execution::current();
    if (e == nullptr) return std_sync::per_thread<T>();
    static std::size_t const number = next_slot()++;
    return *static_cast<T*>(e->slot(number, sizeof(T)));
  }
  template <class T>
  static void pause(unsigned /*round*/, atomic<T> const& a) noexcept {
    a.pause();
  }
  static unsigned this_thread_id() noexcept {
    execution* const e = execution::current();
    return e == nullptr ? 0 : e->thread() + 1;
  }

 private:
  static std::size_t& next_slot() noexcept {
    static std::size_t n = 0;
    return n;
  }
};

using cas_terminal = basic_cas_terminal<sync>;

}  // namespace settle::inline v0::testing::weave

#endif
