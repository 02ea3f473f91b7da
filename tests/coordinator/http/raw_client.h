// SPDX-License-Identifier: Apache-2.0
// Clients that speak HTTP, or not, byte by byte over real sockets.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <string>

namespace remixer::coordinator::testing {

class RawClient {
 public:
  explicit RawClient(uint16_t port) : socket_(context_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  }

  // False where the other side has closed.
  bool send(const std::string& text) {
    boost::system::error_code code;
    boost::asio::write(socket_, boost::asio::buffer(text), code);
    return !code;
  }
  // What comes until `end` has come or the server closes.
  std::string read_until(const std::string& end) {
    boost::system::error_code code;
    const size_t bytes =
        boost::asio::read_until(socket_, boost::asio::dynamic_buffer(read_), end, code);
    return take(code ? read_.size() : bytes);
  }
  std::string read_all() {
    boost::system::error_code code;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(read_), code);
    return take(read_.size());
  }
  std::string talk(const std::string& text) {
    send(text);
    return read_all();
  }
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  std::string take(size_t bytes) {
    std::string text = read_.substr(0, bytes);
    read_.erase(0, bytes);
    return text;
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  std::string read_;
};

}  // namespace remixer::coordinator::testing
