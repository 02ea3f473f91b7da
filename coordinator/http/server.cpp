#include "coordinator/http/server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "coordinator/http/session.h"
#include "core/base/error.h"

namespace remixer::coordinator {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Server::Parts {
  explicit Parts(ServerOptions given)
      : options(std::move(given)),
        acceptor(asio::make_strand(context)),
        pause(acceptor.get_executor()) {
    if (options.certificate) secure(*options.certificate);
    listen();
  }

  ServerOptions options;
  HttpHandler handler;
  std::atomic<int> connections{0};
  std::string numeric;
  std::optional<asio::ssl::context> tls;
  asio::io_context context;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
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
      // No descriptors left, most likely: give the others time to close.
      pause.expires_after(std::chrono::milliseconds(100));
      pause.async_wait([this](boost::system::error_code stopped) {
        if (!stopped) accept();
      });
      return;
    }
    if (++connections > options.connections) {
      --connections;
    } else {
      boost::system::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket), tls ? &*tls : nullptr, options, handler,
                                connections)
          ->start();
    }
    accept();
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

void Server::start(HttpHandler handler) {
  parts_->handler = std::move(handler);
  parts_->accept();
  for (int i = 0; i < parts_->options.threads; ++i) {
    parts_->threads.emplace_back([this] { parts_->context.run(); });
  }
}

void Server::stop() {
  parts_->context.stop();
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
  // Waiting clients see the end now, not when the object goes.
  boost::system::error_code ignored;
  parts_->acceptor.close(ignored);
}

}  // namespace remixer::coordinator
