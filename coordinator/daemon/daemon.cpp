// SPDX-License-Identifier: Apache-2.0
#include "coordinator/daemon/daemon.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/host.h"
#include "base/installation.h"
#include "base/version.h"
#include "coordinator/daemon/notifier.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/engine/engine.h"
#include "coordinator/http/address.h"
#include "coordinator/http/certificate.h"
#include "coordinator/http/routes.h"
#include "coordinator/launch/local.h"
#include "coordinator/launch/slurm/launcher.h"
#include "coordinator/views/demand.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {

using experiments::protocol::Access;

namespace {

constexpr double kTickSeconds = 0.2;

// Each worker keeps two connections; raises the soft limit of open files to the hard limit.
int connections_allowed() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return ServerOptions().connections;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65536);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  return connections_for(limit.rlim_cur);
}
// After the grace time: time from SIGTERM until workers are killed.
constexpr double kTerminateSeconds = 3;

}  // namespace

struct Daemon::Parts {
  explicit Parts(DaemonOptions given) : options(std::move(given)) {}

  DaemonOptions options;
  fs::path workspace, database, access_path;
  ListenAddress address;
  std::optional<Certificate> certificate;
  Access access;
  std::string started_at;
  std::shared_ptr<spdlog::logger> log;
  std::optional<WorkspaceLock> lock;
  std::shared_ptr<Engine> engine;  // shared with a status() call that may still run at the end
  std::unique_ptr<Server> server;
  std::unique_ptr<LocalLauncher> launcher;
  std::unique_ptr<Notifier> notifier;
  std::unique_ptr<slurm::SlurmLauncher> slurm_launcher;
  std::thread thread;

  mutable std::mutex mutex;  // guards what follows, and the parts' lifetime against status()
  std::condition_variable changed;
  bool stop_asked = false, stop_now_asked = false, keep_allocations = false, ended = false;
  answers::Status last_status;

  double now() const { return system_clock().monotonic(); }

  void start() {
    workspace = prepare_workspace(options.workspace);
    lock.emplace(workspace);
    start_log();
    database = database_file(workspace);
    fs::create_directories(database.parent_path());
    // Try the port first: it is the cheaper of the two checks that may fail.
    server = std::make_unique<Server>(server_options());
    Settings settings;
    settings.lease_seconds = options.lease_seconds;
    settings.heartbeat_seconds = options.heartbeat_seconds;
    settings.stall_seconds = options.stall_seconds;
    settings.workspace = workspace.string();
    engine = std::make_shared<Engine>(Engine::Options{workspace, database, settings});
    notifier = std::make_unique<Notifier>(*engine, notifier_options());
    // Detect workers of an earlier daemon process that are gone, before giving out tasks.
    engine->tick();
    access_path = experiments::protocol::access_file(workspace);
    launcher = std::make_unique<LocalLauncher>(LauncherOptions{
        workspace, access_path, options.worker_program, options.device, options.loader_threads});
    slurm_launcher = std::make_unique<slurm::SlurmLauncher>(slurm_options());
    serve();
    try {
      launcher->start(options.workers, options.ranks);
    } catch (...) {
      fs::remove(access_path);
      throw;
    }
    thread = std::thread([this] { run(); });
  }

  slurm::LauncherOptions slurm_options() {
    slurm::LauncherOptions chosen;
    chosen.paths = {workspace, access_path, running_program()};
    chosen.listen = options.address;
    chosen.demand = [this](const std::optional<slurm::Site>& site) {
      return engine->query([&](const Engine::View& view) { return demand_of(view, site); });
    };
    chosen.ended = [this](const std::vector<std::string>& workers) {
      // Crashes inside an allocation show as lost leases; its end says nothing about a task.
      for (const std::string& id : workers) {
        engine->worker_gone(id, "ended with its allocation", false);
      }
    };
    chosen.log = [this](const std::string& line) { log->info("{}", line); };
    return chosen;
  }

  void start_slurm(const SlurmUp& order) {
    const slurm::Site site = slurm::site_from_json(order.site);
    const bool kept_before = slurm_launcher->status().wanted;
    if (address.loopback && !kept_before && !order.reachable) {
      fail_input(
          "the daemon listens on this host alone, where allocations cannot reach it: end it with "
          "`remixer down` and start one with `remixer slurm up`");
    }
    slurm_launcher->up(site, order.try_first);
  }

  // Requests no allocations that could not reach this daemon.
  void resume_slurm() {
    const auto kept = slurm::read_kept(workspace);
    if (kept && kept->wanted && address.loopback && !kept->listen.empty() &&
        kept->listen != options.address) {
      fail_input(
          "Slurm's allocations were wanted of a daemon that listens on '{}', and this one listens "
          "on this host alone: start it with --address {}, or with `remixer slurm up`",
          kept->listen, kept->listen);
    }
    slurm_launcher->resume();
  }

  ServerOptions server_options() {
    address = resolve_listen_address(options.address, options.announce);
    if (!address.loopback) certificate = own_certificate(workspace / "tls");
    ServerOptions chosen;
    chosen.connections = connections_allowed();
    chosen.address = address.listen;
    chosen.port = options.port;
    chosen.certificate = certificate;
    return chosen;
  }

  NotifierOptions notifier_options() {
    NotifierOptions wanted;
    wanted.command = options.notify_command;
    wanted.url = options.notify_url;
    wanted.quota = options.disk_quota;
    wanted.log = workspace / "logs" / "notices.log";
    wanted.report = [this](const std::string& line) { log->warn("{}", line); };
    return wanted;
  }

  void start_log() {
    const fs::path file = workspace / "logs" / "daemon.log";
    log = std::make_shared<spdlog::logger>(
        "daemon", std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string()));
    log->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    log->flush_on(spdlog::level::info);
  }

  void serve() {
    access = {address.announce, server->port(),
              random_secret(),  certificate ? certificate->fingerprint : "",
              host_name(),      ::getpid()};
    started_at = iso_time(system_clock().wall());
    RouteOptions routes;
    routes.engine = engine.get();
    routes.shutdown = [this](bool keep) { ask_stop(keep, keep); };
    routes.about = [this] { return about(); };
    routes.status = [this] { return status_of(*engine); };
    routes.slurm = [this] { return slurm_launcher->status(); };
    routes.slurm_unfit = [this](const std::string& id) -> std::string {
      const auto site = slurm_launcher->site();
      if (!site) return {};
      return engine->query([&](const Engine::View& view) {
        return unfit_for_site(view, view.state.task(id), *site);
      });
    };
    routes.slurm_up = [this](const SlurmUp& order) { start_slurm(order); };
    routes.slurm_resume = [this] { resume_slurm(); };
    routes.slurm_down = [this](bool let_run) { slurm_launcher->down(let_run); };
    routes.counts = [this] { return server->counts(); };
    routes.workspace = workspace;
    routes.database = database;
    routes.reports = options.reports;
    Guard guard({access.address, address.listen, access.host}, access.port, access.token,
                certificate.has_value());
    const HttpGate gate = make_gate(guard);
    server->start(make_routes(std::move(guard), std::move(routes)), gate);
    experiments::protocol::write_access(access_path, access);
    log->info("version {} ({}) on {}:{}{}, workspace {}", version(), commit(), access.address,
              access.port, certificate ? " under TLS" : "", workspace.string());
  }

  answers::Ping about() const {
    std::lock_guard guard(mutex);
    return {.version = version(),
            .pid = ::getpid(),
            .host = access.host,
            .workspace = workspace.string(),
            .stopping = stop_asked};
  }

  answers::Status status_of(const Engine& source) const {
    answers::Status status = source.query(status_view);
    const answers::Ping daemon = about();
    status.stopping = daemon.stopping;
    status.version = daemon.version;
    status.pid = daemon.pid;
    status.host = daemon.host;
    status.workspace = daemon.workspace;
    status.started_at = started_at;
    status.launcher = launcher->status();
    status.slurm = slurm_launcher->status();
    return status;
  }

  void ask_stop(bool now, bool keep = false) {
    std::lock_guard guard(mutex);
    stop_asked = true;
    keep_allocations = keep_allocations || keep;
    stop_now_asked = stop_now_asked || now;
    changed.notify_all();
  }

  // Main loop after start().
  void run() {
    double renew_at = 0;
    while (!wait_for_stop(kTickSeconds)) {
      tick();
      if (now() < renew_at) continue;
      renew_at = now() + WorkspaceLock::kRenewSeconds;
      if (!renew()) break;
    }
    end_workers();
    finish();
  }

  bool wait_for_stop(double seconds) {
    std::unique_lock guard(mutex);
    return changed.wait_for(guard, std::chrono::duration<double>(seconds),
                            [&] { return stop_asked; });
  }

  void tick() {
    try {
      engine->tick();
    } catch (const std::exception& error) {
      log->error("{}", error.what());
    }
  }

  // Returns false if the workspace is no longer ours.
  bool renew() {
    try {
      lock->renew();
      return true;
    } catch (const std::exception& error) {
      log->error("{}", error.what());
      // A full disk does not end ownership; another owner does.
      return !owner_changed();
    }
  }

  bool owner_changed() const {
    const auto text = read_file_if_exists(workspace / "daemon.lock");
    const Json owner = Json::parse(text.value_or(""), nullptr, false);
    return owner.is_object() && owner.value("host", access.host) != access.host;
  }

  bool now_asked() const {
    std::lock_guard guard(mutex);
    return stop_now_asked;
  }

  bool allocations_kept() const {
    std::lock_guard guard(mutex);
    return keep_allocations;
  }

  // True while any worker, local or remote, has not ended or released its attempt.
  bool busy() const {
    if (launcher->alive() > 0) return true;
    const int64_t running = engine->query([](const Engine::View& view) {
      int64_t count = 0;
      for (const std::string& id : view.state.held) {
        const TaskEntry& entry = view.state.task(id);
        // Do not wait for a worker that has not reported since this daemon started.
        if (entry.state == TaskState::kRunning && entry.newest->heard_at > entry.newest->started &&
            view.now.monotonic - entry.newest->heard_at < 5) {
          ++count;
        }
      }
      return count;
    });
    return running > 0;
  }

  bool wait_while_busy(double seconds) {
    const double until = now() + seconds;
    while (!now_asked() && now() < until) {
      tick();
      if (!busy()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  void end_workers() {
    log->info("stopping");
    launcher->let_end();
    try {
      if (!allocations_kept()) {
        engine->shutdown();
        slurm_launcher->end();
      }
      if (!wait_while_busy(options.grace_seconds) && !now_asked() && launcher->alive() > 0) {
        log->warn("workers have not ended in {:.0f} s: SIGTERM", options.grace_seconds);
        launcher->terminate();
        wait_while_busy(kTerminateSeconds);
      }
    } catch (const std::exception& error) {
      log->error("{}", error.what());
    }
    launcher->kill();
    tick();
  }

  void finish() {
    std::error_code ignored;
    fs::remove(access_path, ignored);
    answers::Status status;
    try {
      status = status_of(*engine);
    } catch (const std::exception& error) {
      log->error("{}", error.what());
    }
    server->stop();
    notifier.reset();
    std::lock_guard guard(mutex);
    last_status = std::move(status);
    engine.reset();
    lock.reset();
    log->info("ended");
    ended = true;
    changed.notify_all();
  }

  bool wait_for_end(std::optional<double> seconds) {
    std::unique_lock guard(mutex);
    const auto over = [&] { return ended || !thread.joinable(); };
    if (!seconds) {
      changed.wait(guard, over);
      return true;
    }
    return changed.wait_for(guard, std::chrono::duration<double>(*seconds), over);
  }
};

Daemon::Daemon(DaemonOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}

Daemon::~Daemon() {
  stop_now();
  if (parts_->thread.joinable()) parts_->thread.join();
}

void Daemon::start() {
  parts_->start();
}

void Daemon::start_workers(int workers, int ranks) {
  parts_->launcher->start(workers, ranks);
}

void Daemon::stop() {
  parts_->ask_stop(false);
}

void Daemon::stop_now() {
  parts_->ask_stop(true);
}

void Daemon::wait() {
  parts_->wait_for_end(std::nullopt);
}

bool Daemon::wait_for(double seconds) {
  return parts_->wait_for_end(seconds);
}

uint16_t Daemon::port() const {
  return parts_->access.port;
}

Access Daemon::access() const {
  return parts_->access;
}

std::filesystem::path Daemon::workspace() const {
  return parts_->workspace;
}

std::filesystem::path Daemon::database() const {
  return parts_->database;
}

answers::Status Daemon::status() const {
  std::unique_lock guard(parts_->mutex);
  if (parts_->ended) return parts_->last_status;
  const std::shared_ptr<Engine> engine = parts_->engine;
  guard.unlock();
  return parts_->status_of(*engine);
}

}  // namespace remixer::coordinator
