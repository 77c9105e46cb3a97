// SPDX-License-Identifier: BSL-1.0
#include "datagrams_asio.hpp"
#include "net_asio.hpp"

using network = test::asio_net;
using datagrams = test::asio_datagrams;
#include "failure_classes.hpp"
