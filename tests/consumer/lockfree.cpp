// SPDX-License-Identifier: BSL-1.0
#include <settle/lockfree/arena_pool.hpp>

int main() {
  settle::arena_pool pool(2, 4096);
  return pool.snapshot().acquires == 0 ? 0 : 1;
}
