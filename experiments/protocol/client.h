// SPDX-License-Identifier: Apache-2.0
// Blocking HTTP client of the daemon's API; uses TLS if the access file names a certificate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "experiments/protocol/access.h"

namespace remixer::experiments::protocol {

// Maximum size of a request body that a daemon accepts, in bytes.
constexpr uint64_t kLargestRequest = uint64_t{64} << 20;

// The daemon could not be reached, or did not answer in time. Retrying later may help.
class Unreachable : public Error {
 public:
  using Error::Error;
};

// The server at the daemon's address does not have the certificate that the access file names. No
// token was sent. A worker may retry: a new daemon writes a new access file.
class WrongCertificate : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// The server at the daemon's address on this host cannot prove that it knows the token. No token
// was sent.
class NotTheDaemon : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// The name of the daemon's host cannot be resolved here. Use another name or an address.
class UnknownHost : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// The daemon answered with an error status; what() is its one-line message.
class Refused : public Error {
 public:
  Refused(int status, const std::string& message) : Error(message), status(status) {}
  int status;
};

// Keeps one connection open and reconnects when it is lost. Use from one thread at a time.
class Client {
 public:
  // `timeout_seconds` bounds each whole request, including connecting. Throws InputError on an
  // address that is not loopback and has no fingerprint: the token would travel in clear text.
  explicit Client(Access access, double timeout_seconds = 30);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `path` is relative to /api/v1, such as "/claim" or "/tasks?grid=3". Throws Unreachable or
  // Refused, and InputError on a body larger than a daemon accepts. If a kept-alive connection
  // turns out to be closed before any byte of an answer came, the request is sent again on a new
  // one: every POST of the API is idempotent.
  Json get(const std::string& path);
  Json post(const std::string& path, const Json& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remixer::experiments::protocol
