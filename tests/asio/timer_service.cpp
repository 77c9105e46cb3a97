// SPDX-License-Identifier: BSL-1.0
// Asio's executors as a timer service: what every one promises, in real time.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/any_io_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <optional>

#include "timer_service_suite.hpp"

namespace test {

/// An io_context, seen through one kind of executor.
template <class Ex>
struct asio_loop {
  using executor = Ex;
  asio_loop() {
    if constexpr (std::is_same_v<Ex, asio::io_context::executor_type>) ex.emplace(io->get_executor());
    else ex.emplace(asio::make_strand(*io));
  }
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
  std::optional<Ex> ex;
};
using asio_places =
    testing::Types<real_place<asio_loop<asio::io_context::executor_type>>,
                   real_place<asio_loop<asio::strand<asio::io_context::executor_type>>>, real_place<asio_loop<asio::any_io_executor>>>;
INSTANTIATE_TYPED_TEST_SUITE_P(of_asio, timer_service, asio_places);

}  // namespace test
