// SPDX-License-Identifier: BSL-1.0
// A49: what uv_close does not close would never be given back.
// expect: settle: own_uv takes an init function of a uv handle
#include <settle/uv/uv.hpp>

#ifdef SETTLE_REJECT
struct opened {};
#else
using opened = uv_tcp_t;
#endif
int init(uv_loop_t* loop, opened* h);

void open(settle::pin& owner, settle::uv::loop_executor const& ex) { settle::uv::own_uv(owner, ex, init); }
