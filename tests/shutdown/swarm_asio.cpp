// SPDX-License-Identifier: BSL-1.0
#include "net_asio.hpp"

using network = test::asio_net;
#include "failure_classes.hpp"
