// SPDX-License-Identifier: BSL-1.0
#include "datagrams_uv.hpp"
#include "net_uv.hpp"

using network = test::uv_net;
using datagrams = test::uv_datagrams;
#include "failure_classes.hpp"
