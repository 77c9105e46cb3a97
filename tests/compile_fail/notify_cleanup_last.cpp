// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy `notify` must end with notice::cleanup
#include <settle/settle.hpp>

using settle::notice;
#ifdef SETTLE_REJECT
using order = settle::notify_order<notice::cleanup, notice::done, notice::cancel, notice::consumer>;
#else
using order = settle::notify_order<notice::consumer, notice::done, notice::cancel, notice::cleanup>;
#endif

static_assert(!order::reverse);
