// SPDX-License-Identifier: BSL-1.0
// A resolver that goes through the user pointer of a C API and comes back.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

// What a C library looks like: requests with a callback and a user pointer, run when it is polled, or thrown away.
extern "C" {
using c_callback = void (*)(void* user, int result);
struct c_request {
  c_callback call;
  void* user;
};
struct c_library {
  c_request waiting[4];
  std::size_t count;
};
void c_read(c_library* lib, c_callback call, void* user) { lib->waiting[lib->count++] = {call, user}; }
void c_poll(c_library* lib, int result) {
  while (lib->count != 0) {
    c_request const r = lib->waiting[--lib->count];
    r.call(r.user, result);
  }
}
}

using policy = counted<int>;
using resolver = settle::resolver<policy>;

void on_read(void* user, int result) {
  resolver r = resolver::from_raw(user);
  if (result < 0) r.fail(settle::errc::closed);
  else r.complete(int(result));
}
void on_gone(void* user, int) { resolver const gone = resolver::from_raw(user); }

settle::handle<policy> read(c_library& lib, c_callback call) {
  resolver r;
  auto h = r.get_handle();
  c_read(&lib, call, std::move(r).into_raw());
  EXPECT_FALSE(r);
  return h;
}

TEST(raw, through_a_c_library_and_back) {
  c_library lib{};
  auto h = read(lib, on_read);
  EXPECT_FALSE(h.is_settled());
  c_poll(&lib, 42);
  EXPECT_EQ(std::move(h).wait().value(), 42);
  auto failed = read(lib, on_read);
  c_poll(&lib, -1);
  EXPECT_EQ(std::move(failed).wait().error().code(), settle::errc::closed);
}

TEST(raw, the_pointer_is_the_duty_and_costs_nothing) {
  c_library lib{};
  resolver r;
  auto h = r.get_handle();
  long const made = ledger::made;
  c_read(&lib, on_read, std::move(r).into_raw());
  h.cancel(settle::cause::disconnect);
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(h.is_released()) << "the C side may still write: G7";
  c_poll(&lib, 1);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(ledger::made, made);
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::disconnect);
}

TEST(raw, taken_back_and_dropped_it_is_abandoned) {
  c_library lib{};
  auto h = read(lib, on_gone);
  c_poll(&lib, 0);
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::abandoned);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::abandoned), 1U);
}

TEST(raw, nothing_gives_nothing) {
  EXPECT_FALSE(resolver::from_raw(nullptr));
  resolver r;
  r.complete(1);
  EXPECT_EQ(std::move(r).into_raw(), nullptr) << "it has settled";
}

TEST(raw, a_duty_that_is_out_keeps_the_operation_pending) {
  resolver r;
  auto h = r.get_handle();
  void* const duty = std::move(r).into_raw();
  EXPECT_FALSE(std::move(h).wait_for(std::chrono::nanoseconds(0)).has_value());
  on_read(duty, 3);
  EXPECT_EQ(std::move(h).wait().value(), 3);
}

}  // namespace
