// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/server.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <list>
#include <thread>
#include <vector>

#include "base/error.h"
#include "coordinator/http/connection.h"

namespace remixer::coordinator {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// Child processes must not inherit connections or the port.
void close_on_exec(int descriptor) {
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

}  // namespace

int connections_for(uint64_t open_files) {
  constexpr uint64_t kOwn = 256, kMost = 65536;
  const uint64_t files = std::min(open_files, kMost);
  return static_cast<int>(files > 2 * kOwn ? files - kOwn : files / 2);
}

struct Server::Parts {
  explicit Parts(ServerOptions given)
      : shared(std::move(given)),
        acceptor(asio::make_strand(context)),
        pause(acceptor.get_executor()) {
    if (shared.options.certificate) secure(*shared.options.certificate);
    listen();
  }

  ServerShared shared;
  std::string numeric;
  std::optional<asio::ssl::context> tls;
  asio::io_context context;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::list<std::weak_ptr<Session>> strangers;  // not yet let in, oldest first; acceptor only
  std::vector<std::thread> threads;

  void secure(const Certificate& certificate) {
    tls.emplace(asio::ssl::context::tls_server);
    tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    boost::system::error_code code;
    tls->use_certificate_file(certificate.certificate.string(), asio::ssl::context::pem, code);
    if (!code) tls->use_private_key_file(certificate.key.string(), asio::ssl::context::pem, code);
    if (code) {
      fail_input("cannot use the certificate {}: {}", certificate.certificate.string(),
                 code.message());
    }
  }

  void listen() {
    const ServerOptions& options = shared.options;
    boost::system::error_code code;
    const asio::ip::address address = asio::ip::make_address(options.address, code);
    if (code) fail_input("'{}' is not an IP address; use 127.0.0.1", options.address);
    if (!address.is_loopback() && !tls) {
      fail_input("address {} can be reached from other machines, which needs TLS; use 127.0.0.1",
                 options.address);
    }
    numeric = address.to_string();
    const tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol());
    close_on_exec(acceptor.native_handle());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code == asio::error::address_in_use) {
      fail_input("port {} is in use; choose another with --port, or 0 for any free one",
                 options.port);
    }
    if (code) fail_input("cannot listen on {}:{}: {}", numeric, options.port, code.message());
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(context),
                          [this](boost::system::error_code code, tcp::socket socket) {
                            if (code == asio::error::operation_aborted) return;
                            on_accept(code, std::move(socket));
                          });
  }

  void on_accept(boost::system::error_code code, tcp::socket socket) {
    if (code) {
      // Probably out of descriptors: give other connections time to close.
      pause.expires_after(std::chrono::milliseconds(100));
      pause.async_wait([this](boost::system::error_code stopped) {
        if (!stopped) accept();
      });
      return;
    }
    const int most = shared.options.connections;
    const bool full = ++shared.connections > most && !make_room();
    if (full && shared.connections > most + shared.options.reserve) {
      --shared.connections;
    } else {
      boost::system::error_code ignored;
      close_on_exec(socket.native_handle());
      socket.set_option(tcp::no_delay(true), ignored);
      const auto session =
          std::make_shared<Session>(std::move(socket), tls ? &*tls : nullptr, shared, full);
      if (strangers.size() >= static_cast<size_t>(shared.options.connections)) forget_others();
      strangers.push_back(session);
      session->start();
    }
    accept();
  }

  // Removes connections that have closed or authenticated.
  void forget_others() {
    strangers.remove_if([](const std::weak_ptr<Session>& each) {
      const auto session = each.lock();
      return !session || session->trusted();
    });
  }

  // Closes the oldest connection that has not authenticated; false if there is none.
  bool make_room() {
    forget_others();
    if (strangers.empty()) return false;
    if (const auto oldest = strangers.front().lock()) oldest->evict();
    strangers.pop_front();
    return true;
  }
};

Server::Server(ServerOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Server::~Server() {
  stop();
}

uint16_t Server::port() const {
  return parts_->acceptor.local_endpoint().port();
}

const std::string& Server::address() const {
  return parts_->numeric;
}

void Server::start(HttpHandler handler, HttpGate gate) {
  parts_->shared.handler = std::move(handler);
  parts_->shared.gate = std::move(gate);
  parts_->accept();
  for (int i = 0; i < parts_->shared.options.threads; ++i) {
    parts_->threads.emplace_back([this] { parts_->context.run(); });
  }
}

ServerCounts Server::counts() const {
  const ServerShared& shared = parts_->shared;
  return {shared.requests, shared.refused, shared.connections, shared.streams};
}

void Server::stop() {
  parts_->context.stop();
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
  // Close now, so that waiting clients notice, rather than on destruction.
  boost::system::error_code ignored;
  parts_->acceptor.close(ignored);
}

}  // namespace remixer::coordinator
