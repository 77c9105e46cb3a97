# SPDX-License-Identifier: BSL-1.0
# The headers of each component. Written by tools/headers.py from the tree; ./dev lint compares.

set(settle_core_headers
    include/settle/cause.hpp
    include/settle/detail/engine.hpp
    include/settle/detail/exceptions.hpp
    include/settle/detail/frame.hpp
    include/settle/detail/hook.hpp
    include/settle/detail/state.hpp
    include/settle/errc.hpp
    include/settle/error.hpp
    include/settle/fwd.hpp
    include/settle/memory/arena.hpp
    include/settle/outcome.hpp
    include/settle/policy/allocator.hpp
    include/settle/policy/cleanup.hpp
    include/settle/policy/error_sink.hpp
    include/settle/policy/executor.hpp
    include/settle/policy/monitor.hpp
    include/settle/policy/notify.hpp
    include/settle/policy/sync.hpp
    include/settle/policy/terminal.hpp
    include/settle/version.hpp)

set(settle_lockfree_headers
    include/settle/lockfree/arena_lease.hpp
    include/settle/lockfree/arena_pool.hpp)

set(settle_asio_headers)

set(settle_http2_headers)
