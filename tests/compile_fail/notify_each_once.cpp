// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy `notify` must name done, cancel, consumer and cleanup once each
#include <settle/settle.hpp>

using settle::notice;
#ifdef SETTLE_REJECT
using order = settle::notify_order<notice::done, notice::done, notice::consumer, notice::cleanup>;
#else
using order = settle::notify_order<notice::done, notice::cancel, notice::consumer, notice::cleanup>;
#endif

static_assert(order::before_cleanup[0] == notice::done);
