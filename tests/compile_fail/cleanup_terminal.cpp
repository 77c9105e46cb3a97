// SPDX-License-Identifier: BSL-1.0
// What a cleanup begins is an operation of the same terminal.
// expect: settle: an asynchronous cleanup must return a handle of its operation's own terminal
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
using terminal = settle::unsynchronized_terminal;
#else
using terminal = settle::cas_terminal;
#endif

void register_on(settle::operation const& op) {
  op.on_cleanup([] { return settle::handle_of<void, settle::error, terminal>(); });
}
