// SPDX-License-Identifier: BSL-1.0
// Asio's executors as a timer service: what every one promises, and what becomes of everything that waits for one, in real time.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/any_io_executor.hpp>
#include <asio/io_context.hpp>
#include <optional>

#include "timer_lifecycle_suite.hpp"
#include "timer_service_suite.hpp"

namespace test {

/// An io_context, seen through one kind of executor. (A strand's service would outlive the context here, which no strand may.)
template <class Ex>
struct asio_loop {
  using executor = Ex;
  executor get_executor() const { return *ex; }
  settle::asio_timers<Ex> timers() const { return settle::timers_of(*ex); }
  void run_ready() {
    io->restart();
    io->poll();
  }
  void go_down() {
    ex.reset();
    io.reset();
  }
  std::optional<asio::io_context> io{std::in_place};
  std::optional<Ex> ex{io->get_executor()};
};
using asio_places = testing::Types<real_place<asio_loop<asio::io_context::executor_type>>, real_place<asio_loop<asio::any_io_executor>>>;
INSTANTIATE_TYPED_TEST_SUITE_P(of_asio, timer_service, asio_places);
INSTANTIATE_TYPED_TEST_SUITE_P(of_asio, timer_lifecycle, asio_places);

}  // namespace test
