// SPDX-License-Identifier: BSL-1.0
// Combinators, scopes included, on Asio's executors.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <type_traits>

#include "combinator_suite.hpp"

namespace test {

template <class Ex>
struct asio_place {
  using executor = Ex;
  asio::io_context io;
  Ex ex{io.get_executor()};
  Ex get_executor() const { return ex; }
  void run() {
    io.restart();
    io.run();
  }
};
using asio_combinator_places =
    testing::Types<asio_place<asio::io_context::executor_type>, asio_place<asio::strand<asio::io_context::executor_type>>>;
INSTANTIATE_TYPED_TEST_SUITE_P(on_asio, combinators, asio_combinator_places);

}  // namespace test
