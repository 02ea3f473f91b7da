// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP client of the daemon's API; under TLS where the access file names a certificate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "experiments/protocol/access.h"

namespace remixer::experiments::protocol {

// Bytes of a request's body that a daemon takes.
constexpr uint64_t kLargestRequest = uint64_t{64} << 20;

// The daemon could not be reached, or did not answer in time. Worth another try later.
class Unreachable : public Error {
 public:
  using Error::Error;
};

// Whoever answers at the daemon's address has not the certificate that the access file names. No
// token was sent. A worker may try again: a new daemon writes a new access file.
class WrongCertificate : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// Whoever answers at the daemon's address on this host cannot prove that it knows the token. No
// token was sent.
class NotTheDaemon : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// The name of the daemon's host means nothing on this one. Only another name or an address helps.
class UnknownHost : public Unreachable {
 public:
  using Unreachable::Unreachable;
};

// The daemon answered with an error status; what() is its message, of one line.
class Refused : public Error {
 public:
  Refused(int status, const std::string& message) : Error(message), status(status) {}
  int status;
};

// Keeps one connection alive and opens a new one when it has gone. One thread at a time.
class Client {
 public:
  // `timeout_seconds` bounds each request as a whole, connecting included. Throws InputError on an
  // address that is not loopback and has no fingerprint: the token would travel in clear text.
  explicit Client(Access access, double timeout_seconds = 30);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `path` is below /api/v1, as "/claim" or "/tasks?grid=3". Throws Unreachable or Refused, and
  // InputError on a body that is larger than any daemon takes. A
  // request is sent again on a fresh connection when a kept one turns out to be closed before any
  // byte of an answer came: every POST of the API may safely arrive twice.
  Json get(const std::string& path);
  Json post(const std::string& path, const Json& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remixer::experiments::protocol
