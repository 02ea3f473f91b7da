// SPDX-License-Identifier: Apache-2.0
// A TCP connection, in clear text or under TLS, with one interface for Asio's and Beast's
// asynchronous functions. Both ends of the API use it.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <optional>
#include <utility>

namespace remixer::experiments::protocol {

// Timeouts are the TCP stream's (expires_after) and also apply under TLS. Not movable, since the
// TLS layer refers to the TCP layer.
class Stream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using Side = boost::asio::ssl::stream_base::handshake_type;

  // `tls`: null for clear text; else must outlive the stream.
  Stream(boost::beast::tcp_stream tcp, boost::asio::ssl::context* tls) : tcp_(std::move(tcp)) {
    if (tls) tls_.emplace(tcp_, *tls);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  executor_type get_executor() noexcept { return tcp_.get_executor(); }
  boost::beast::tcp_stream& tcp() { return tcp_; }
  // The peer's side of the TLS session; null in clear text.
  SSL* tls_session() { return tls_ ? tls_->native_handle() : nullptr; }

  // Does the TLS handshake. Call it once before reading or writing; without TLS it does nothing.
  // `handler` takes an error code.
  template <typename Handler>
  void async_handshake(Side side, Handler handler) {
    if (tls_) return tls_->async_handshake(side, std::move(handler));
    boost::asio::post(get_executor(), [handler = std::move(handler)]() mutable {
      handler(boost::system::error_code());
    });
  }

  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    return tcp_.async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  boost::beast::tcp_stream tcp_;
  std::optional<boost::beast::ssl_stream<boost::beast::tcp_stream&>> tls_;
};

}  // namespace remixer::experiments::protocol
