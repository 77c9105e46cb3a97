// SPDX-License-Identifier: BSL-1.0
#include <settle/settle.hpp>

int main() {
  settle::resolver_of<int> r;
  settle::handle_of<int> h = r.get_handle();
  return r.complete(42) && h.watch().peek()->value() == 42 ? 0 : 1;
}
