// SPDX-License-Identifier: Apache-2.0
// TLS on real sockets: what the daemon shows, whom the client trusts, what a stranger gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

#include "base/file.h"
#include "base/host.h"
#include "coordinator/daemon/daemon.h"
#include "coordinator/http/address.h"
#include "coordinator/http/certificate.h"
#include "coordinator/http/server.h"
#include "experiments/protocol/client.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using boost::asio::ip::tcp;
using experiments::protocol::Access;
using experiments::protocol::Client;
using experiments::protocol::Unreachable;
using experiments::protocol::WrongCertificate;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

template <typename E, typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "the expected error was not thrown";
  return {};
}

class CertificateTest : public ::testing::Test {
 protected:
  TemporaryFolder folder;
};

TEST_F(CertificateTest, IsMadeOnceAndKept) {
  const Certificate first = own_certificate(folder.path / "tls");
  EXPECT_EQ(first.fingerprint.size(), 64u);
  EXPECT_EQ(own_certificate(folder.path / "tls").fingerprint, first.fingerprint);
  struct stat status {};
  ASSERT_EQ(::stat(first.key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_NE(own_certificate(folder.path / "other").fingerprint, first.fingerprint);
}

TEST_F(CertificateTest, WhatCannotBeTrustedIsNamed) {
  const Certificate made = own_certificate(folder.path / "tls");
  const Certificate other = own_certificate(folder.path / "other");
  const auto refusal = [&] {
    return error_of<InputError>([&] { own_certificate(folder.path / "tls"); });
  };
  ::chmod(made.key.c_str(), 0640);
  EXPECT_THAT(refusal(), HasSubstr("others may read its key"));
  write_file_atomic(made.key, read_file(other.key), 0600);
  EXPECT_THAT(refusal(), HasSubstr("its key is of another certificate"));
  write_file_atomic(made.key, "nonsense", 0600);
  EXPECT_THAT(refusal(), HasSubstr("its key is damaged"));
  fs::remove(made.key);
  EXPECT_THAT(refusal(), HasSubstr("its key is missing"));
  write_file_atomic(made.certificate, "nonsense");
  write_file_atomic(made.key, read_file(other.key), 0600);
  EXPECT_THAT(refusal(), HasSubstr("it is damaged"));
  // What the message says helps.
  fs::remove(made.certificate);
  EXPECT_EQ(own_certificate(folder.path / "tls").fingerprint.size(), 64u);
}

TEST(AddressTest, FindsWhatIsMeant) {
  EXPECT_EQ(resolve_listen_address("127.0.0.1").listen, "127.0.0.1");
  EXPECT_TRUE(resolve_listen_address("localhost").loopback);
  EXPECT_EQ(resolve_listen_address("lo").listen, "127.0.0.1");
  EXPECT_TRUE(resolve_listen_address("::1").loopback);
  for (const char* all : {"auto", "0.0.0.0"}) {
    const ListenAddress address = resolve_listen_address(all);
    EXPECT_EQ(address.listen, "0.0.0.0");
    EXPECT_FALSE(address.loopback);
    EXPECT_NE(address.announce, "0.0.0.0");
  }
  EXPECT_EQ(resolve_listen_address("0.0.0.0", "login1.cluster").announce, "login1.cluster");
  EXPECT_THAT(error_of<InputError>([] { resolve_listen_address("no.such.host.invalid"); }),
              HasSubstr("no.such.host.invalid"));
}

// A server on all addresses, asked at 127.0.0.2.
class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    certificate = own_certificate(folder.path / "tls");
    ServerOptions options;
    options.address = "0.0.0.0";
    options.request_seconds = 0.3;
    options.certificate = certificate;
    server = std::make_unique<Server>(options);
    server->start([](const HttpRequest& request) {
      return HttpResponse{200, {{"path", request.path}, {"body", request.body.size()}}};
    });
  }
  void TearDown() override { server->stop(); }
  Access access(const std::string& address, const std::string& fingerprint) const {
    return {address, server->port(), "secret", fingerprint, host_name(), 1};
  }
  // Everything until the server closes; nothing of it is TLS.
  std::string talk(const std::string& text) {
    tcp::socket socket(context);
    socket.connect({boost::asio::ip::make_address("127.0.0.2"), server->port()});
    boost::system::error_code code;
    boost::asio::write(socket, boost::asio::buffer(text), code);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), code);
    return answer;
  }

  TemporaryFolder folder;
  Certificate certificate;
  boost::asio::io_context context;
  std::unique_ptr<Server> server;
};

TEST_F(TlsTest, PinnedClientIsAnswered) {
  Client client(access("127.0.0.2", certificate.fingerprint));
  EXPECT_EQ(client.get("/ping")["path"], "/api/v1/ping");
  // A message of several TLS records, on the kept connection.
  const std::string large(300'000, 'x');
  EXPECT_GT(client.post("/claim", {{"text", large}})["body"].get<size_t>(), large.size());
  Client by_name(access("localhost", certificate.fingerprint));
  EXPECT_EQ(by_name.get("/ping")["path"], "/api/v1/ping");
}

TEST_F(TlsTest, AnotherCertificateGetsNoToken) {
  const std::string expected(64, 'a');
  Client client(access("127.0.0.2", expected));
  const std::string message = error_of<WrongCertificate>([&] { client.get("/ping"); });
  EXPECT_THAT(message, HasSubstr("is not the daemon of the access file"));
  EXPECT_THAT(message, HasSubstr(certificate.fingerprint.substr(0, 16)));
  EXPECT_THAT(message, HasSubstr("aaaaaaaaaaaaaaaa"));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST_F(TlsTest, ClearTextIsNotAnswered) {
  EXPECT_EQ(talk("GET /api/v1/ping HTTP/1.1\r\nHost: x\r\n\r\n").find("HTTP/1.1"),
            std::string::npos);
}

TEST_F(TlsTest, SlowHandshakeIsCutOff) {
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(talk(std::string("\x16\x03\x01", 3)), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(TlsTest, ClientNeverSendsItsTokenInClearTextToAnotherHost) {
  EXPECT_THAT(error_of<InputError>([&] { Client client(access("192.0.2.1", "")); }),
              HasSubstr("clear text"));
  EXPECT_THAT(error_of<InputError>([&] { Client client(access("login1.cluster", "")); }),
              HasSubstr("clear text"));
}

TEST_F(TlsTest, ServerInClearTextIsNoDaemonUnderTls) {
  Server plain(ServerOptions{});
  plain.start([](const HttpRequest&) { return HttpResponse{200, Json::object()}; });
  Client client({"127.0.0.1", plain.port(), "secret", certificate.fingerprint, host_name(), 1}, 5);
  EXPECT_THROW(client.get("/ping"), Unreachable);
  plain.stop();
}

// The daemon itself: access file, certificate and answers belong together, also after a restart.
TEST(DaemonTlsTest, ListensBeyondLoopbackUnderTlsOnly) {
  TemporaryFolder folder;
  DaemonOptions options;
  options.workspace = folder.path / "workspace";
  options.address = "0.0.0.0";
  options.announce = "127.0.0.2";
  std::string fingerprint;
  for (int life = 0; life < 2; ++life) {
    Daemon daemon(options);
    daemon.start();
    const auto access =
        experiments::protocol::read_access(experiments::protocol::access_file(daemon.workspace()));
    ASSERT_TRUE(access);
    EXPECT_EQ(access->address, "127.0.0.2");
    EXPECT_EQ(access->fingerprint.size(), 64u);
    EXPECT_TRUE(life == 0 || access->fingerprint == fingerprint);
    fingerprint = access->fingerprint;
    Client client(*access);
    EXPECT_EQ(client.get("/ping")["workspace"], daemon.workspace().string());
    Access guess = *access;
    guess.token = "guess";
    Client stranger(guess);
    EXPECT_THROW(stranger.get("/ping"), experiments::protocol::Refused);
  }
}

}  // namespace
}  // namespace remixer::coordinator
