// SPDX-License-Identifier: BSL-1.0
#include "net_uv.hpp"

using network = test::uv_net;
#include "failure_classes.hpp"
