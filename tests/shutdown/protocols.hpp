// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_PROTOCOLS_HPP
#define SETTLE_TESTS_SHUTDOWN_PROTOCOLS_HPP

#include <settle/settle.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "net.hpp"

// Two protocols of trackers. Each has a `server` and an `exchange`: one question, one answer, whatever that takes. All else is the
// same for both: the time an answer may take, asking again, how an exchange is given up and what that leaves.
namespace test {

/// What a tracker does with a question that it has heard.
enum class manners { answers, loses_the_first, is_silent, answers_by_half };

/// What both servers have: how they behave, and what they have heard.
struct tracker_books {
  manners how = manners::answers;
  long heard = 0;

  /// One more question. Whether it is answered at all.
  bool hears() noexcept {
    return ++heard, how == manners::answers || how == manners::answers_by_half || (how == manners::loses_the_first && heard > 1);
  }
};

/// Datagrams: a number that the answer repeats, and a word.
template <class Net, class Datagrams>
struct by_datagrams {
  static constexpr std::string_view number = "4711";

  class server : public tracker_books {
   public:
    server(Net& n, settle::scope& under) : socket_(n) {
      auto serve = [this] { return answer_all(); };
      under.spawn(serve);
    }
    std::uint16_t port() const { return socket_.port(); }

   private:
    settle::handle_of<void> answer_all() {
      for (;;) {
        datagram const asked = co_await socket_.receive();
        if (!this->hears()) continue;
        std::string answer = asked.text.substr(0, number.size()) + "peers";
        if (this->how == manners::answers_by_half) answer.resize(number.size() / 2);
        co_await socket_.send(std::move(answer), asked.port);
      }
    }
    Datagrams socket_;
  };

  static settle::handle_of<std::string> exchange(Net& n, std::uint16_t port) {
    Datagrams mine(n);
    co_await mine.send(std::string(number) + "announce", port);
    for (;;) {
      datagram const heard = co_await mine.receive();
      if (heard.text.starts_with(number)) co_return heard.text.substr(number.size());  // else it is no answer to this
    }
  }
};

/// A connection for each question, in HTTP/1.1.
template <class Net>
struct by_http {
  using link = typename Net::link;

  /// Until a head is complete, and so much after it.
  static settle::handle_of<std::string> message(link& l, std::size_t body) {
    std::string text;
    for (;;) {
      std::size_t const end = text.find("\r\n\r\n");
      if (end != std::string::npos && text.size() >= end + 4 + body) co_return text.substr(end + 4);
      text += co_await l.read();
    }
  }

  class server : public tracker_books {
   public:
    server(Net& n, settle::scope& under) : in_(n), under_(under) {
      auto serve = [this] { return accept_all(); };
      under_.spawn(serve);
    }
    std::uint16_t port() const { return in_.port(); }

   private:
    settle::handle_of<void> accept_all() {
      for (;;) {
        link l = co_await in_.accept();
        auto talk = [this, l = std::move(l)]() mutable { return talk_to(l); };
        under_.spawn(std::move(talk));
      }
    }
    settle::handle_of<void> talk_to(link& l) {
      auto const asked = co_await message(l, 0).as_outcome();
      if (!asked) co_return;
      bool const answers = this->hears();
      if (this->how == manners::loses_the_first && !answers) co_return;  // hangs up
      std::string answer = answers ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npeers" : "";
      if (this->how == manners::answers_by_half) answer.resize(answer.size() - 3);
      auto const told = co_await l.write(std::move(answer)).as_outcome();
      auto const gone = co_await l.read().as_outcome();  // the client closes
    }
    typename Net::listener in_;
    settle::scope& under_;
  };

  static settle::handle_of<std::string> exchange(Net& n, std::uint16_t port) {
    link l = co_await n.dial(port);
    co_await l.write("GET /announce HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    co_return co_await message(l, 5);
  }
};

/// The client, of any protocol: asks again as often as it was told, each time for as long.
template <class Protocol, class Net>
settle::handle_of<std::string> announce(Net& n, std::uint16_t port, std::chrono::milliseconds patience, unsigned times) {
  auto once = [&n, port, patience](unsigned) { return settle::within(Protocol::exchange(n, port), patience); };
  auto answer = settle::retry(settle::backoff::none(times), once);
  co_return co_await std::move(answer);
}

}  // namespace test

#endif
