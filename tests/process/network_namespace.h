// SPDX-License-Identifier: Apache-2.0
// A real network of a test: daemon and workers on two hosts, as far as the kernel's network goes,
// joined by a cable whose ends can be pulled.
#pragma once

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/process/network.h"
#include "tests/support/program.h"

namespace remixer::testing {

// Two network namespaces and a virtual cable between them. The daemon's address is no loopback
// address, so everything goes over TLS. Needs root, or user namespaces, and Debian's iproute2.
class NetworkNamespaces : public Network {
 public:
  // Null where this machine allows nobody to make namespaces.
  static std::unique_ptr<NetworkNamespaces> make(const fs::path& folder) {
    for (const bool as_user : {false, true}) {
      std::vector<std::string> probe = unshare(as_user);
      probe.emplace_back("true");
      if (run_program(probe, folder).code == 0) {
        return std::unique_ptr<NetworkNamespaces>(new NetworkNamespaces(folder, as_user));
      }
    }
    return nullptr;
  }

  std::vector<std::string> daemon_side() const override { return inside(*daemon_host_); }
  std::vector<std::string> worker_side() const override { return inside(*worker_host_); }
  std::vector<std::string> listen() const override { return {"--address", kDaemonAddress}; }
  experiments::protocol::Access way_to(experiments::protocol::Access daemon) override {
    return daemon;
  }
  // With the far end pulled packets vanish; without the own end there is no route.
  void set(State state) override {
    shell(*daemon_host_, fmt::format("ip link set {} {}", kDaemonEnd, up(state != State::kSilent)));
    shell(*worker_host_, fmt::format("ip link set {} {}", kWorkerEnd, up(state != State::kCut)));
  }

 private:
  static constexpr const char* kDaemonAddress = "10.231.7.1";
  static constexpr const char* kWorkerAddress = "10.231.7.2";
  static constexpr const char* kDaemonEnd = "remixer-d";
  static constexpr const char* kWorkerEnd = "remixer-w";

  NetworkNamespaces(const fs::path& folder, bool as_user) : folder_(folder), as_user_(as_user) {
    daemon_host_ = hold(unshare(as_user));
    auto beside = inside(*daemon_host_);
    beside.insert(beside.end(), {"unshare", "--net"});
    worker_host_ = hold(beside);
    shell(*daemon_host_, "ip link set lo up");
    shell(*worker_host_, "ip link set lo up");
    shell(*daemon_host_, fmt::format("ip link add {} type veth peer name {} netns {}", kDaemonEnd,
                                     kWorkerEnd, worker_host_->pid()));
    shell(*daemon_host_, fmt::format("ip address add {}/24 dev {}", kDaemonAddress, kDaemonEnd));
    shell(*worker_host_, fmt::format("ip address add {}/24 dev {}", kWorkerAddress, kWorkerEnd));
    set(State::kWhole);
  }

  static const char* up(bool yes) { return yes ? "up" : "down"; }

  static std::vector<std::string> unshare(bool as_user) {
    std::vector<std::string> command = {"unshare", "--net"};
    if (as_user) command.insert(command.end(), {"--user", "--map-root-user"});
    return command;
  }

  // A process that does nothing but keep its namespace.
  std::unique_ptr<Program> hold(std::vector<std::string> command) const {
    command.insert(command.end(), {"sleep", "infinity"});
    auto holder = std::make_unique<Program>(command, folder_);
    const auto own = fs::read_symlink("/proc/self/ns/net");
    const auto of_holder = fmt::format("/proc/{}/ns/net", holder->pid());
    const auto other =
        daemon_host_ ? fs::read_symlink(fmt::format("/proc/{}/ns/net", daemon_host_->pid())) : own;
    if (!eventually([&] {
          std::error_code gone;
          const auto space = fs::read_symlink(of_holder, gone);
          return !gone && space != own && space != other;
        })) {
      fail("no namespace was made: {}", holder->errors());
    }
    return holder;
  }

  std::vector<std::string> inside(const Program& host) const {
    std::vector<std::string> command = {"nsenter", "--target", std::to_string(host.pid()), "--net"};
    if (as_user_) command.insert(command.end(), {"--user", "--preserve-credentials"});
    return command;
  }

  void shell(const Program& host, const std::string& line) const {
    auto command = inside(host);
    command.insert(command.end(), {"sh", "-c", line});
    const auto done = run_program(command, folder_);
    if (done.code != 0) fail("{}: {}", line, done.errors);
  }

  fs::path folder_;
  bool as_user_;
  std::unique_ptr<Program> daemon_host_, worker_host_;
};

}  // namespace remixer::testing
