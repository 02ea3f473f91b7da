// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>

#include "base/failpoint.h"
#include "base/host.h"
#include "base/no_space.h"
#include "coordinator/engine/file_deleter.h"
#include "coordinator/engine/publish.h"
#include "coordinator/engine/workspace_id.h"
#include "experiments/protocol/result_files.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

struct Engine::Parts {
  using Question = std::function<void(const Engine::View&)>;

  // Answer to an event.
  struct Answer {
    Reply reply;
    AssignmentTexts texts;  // for a claim's assignment
  };

  struct Request {
    std::variant<Question, Event> what;
    std::promise<Answer> reply;  // to an event
    std::promise<void> asked;    // of a question
  };

  explicit Parts(Options given)
      : options(std::move(given)),
        store(options.database),
        host(host_name()),
        boot(boot_id()),
        space(pid_namespace()),
        state(store.load(now(), options.settings)) {
    pair_workspace(options.workspace, options.database, store, state, options.adopt);
    const FoldersEvent found{attempt_folders(options.workspace, [&](const std::string& id) {
      const auto task = state.tasks.find(id);
      return task != state.tasks.end() && task->second.state != TaskState::kDone;
    })};
    const Effects effects = step(state, found, now(), options.settings);
    if (!effects.writes.empty()) store.commit(effects.writes);
  }

  Options options;
  Store store;
  std::string host, boot, space;
  State state;
  // Files of tasks removed in this batch: paths by task.
  std::vector<std::pair<std::string, std::vector<std::string>>> removed;

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Request> waiting;
  bool ending = false;
  std::thread thread;
  FileDeleter deleter{options.workspace};  // destroyed first: it reports its work to the engine

  Now now() const { return {options.clock->monotonic(), options.clock->wall()}; }

  template <typename Promise>
  auto post(Request request, Promise Request::*promise) {
    auto future = (request.*promise).get_future();
    {
      std::lock_guard lock(mutex);
      if (ending) throw Unavailable("the daemon is ending");
      waiting.push_back(std::move(request));
    }
    wake.notify_one();
    return future.get();
  }

  Answer ask(Event event) {
    Request request;
    request.what = std::move(event);
    return post(std::move(request), &Request::reply);
  }

  Reply send(Event event) { return ask(std::move(event)).reply; }

  // Does not wait for the answer; does nothing if the engine is ending.
  void tell(Event event) {
    Request request;
    request.what = std::move(event);
    {
      std::lock_guard lock(mutex);
      if (ending) return;
      waiting.push_back(std::move(request));
    }
    wake.notify_one();
  }

  void ask_view(Question question) {
    Request request;
    request.what = std::move(question);
    post(std::move(request), &Request::asked);
  }

  void run() {
    for (;;) {
      std::deque<Request> batch;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return ending || !waiting.empty(); });
        if (waiting.empty()) return;
        batch.swap(waiting);
      }
      work(batch);
    }
  }

  // Steps the batch's events, stores their writes, answers.
  void work(std::deque<Request>& batch) {
    std::vector<Write> writes;
    std::vector<std::pair<Request*, Reply>> replies;
    removed.clear();
    for (Request& request : batch) {
      if (!std::holds_alternative<Event>(request.what)) continue;
      try {
        replies.emplace_back(&request, take(std::get<Event>(request.what), writes));
      } catch (...) {
        request.reply.set_exception(std::current_exception());
      }
    }
    try {
      if (!writes.empty()) store.commit(writes);
    } catch (const std::exception& error) {
      // The state in memory is ahead of the disk: go back to the stored one.
      const auto reason = std::make_exception_ptr(Unavailable(error.what()));
      reload();
      for (auto& [request, reply] : replies) request->reply.set_exception(reason);
      replies.clear();
      removed.clear();
    }
    for (auto& [id, paths] : removed) {
      deleter.remove_soon(std::move(paths), [this, id = id] { tell(ClearingEvent{id, -1}); });
    }
    for (auto& [request, reply] : replies) give(*request, std::move(reply));
    for (Request& request : batch) {
      if (auto* question = std::get_if<Question>(&request.what)) answer(request, *question);
    }
  }

  // An assignment's specs and results are only in the store.
  void give(Request& request, Reply reply) {
    try {
      AssignmentTexts texts;
      const auto* claim = std::get_if<protocol::ClaimReply>(&reply);
      if (claim && claim->assignment) texts = store.texts(*claim->assignment);
      failpoint("before-answer");
      request.reply.set_value({std::move(reply), std::move(texts)});
      failpoint("after-answer");
    } catch (const std::exception& error) {
      // If it asks again, the worker gets the same attempt.
      request.reply.set_exception(std::make_exception_ptr(Unavailable(error.what())));
    }
  }

  void reload() {
    const bool stopping = state.stopping;
    const uint64_t revision = state.revision;
    try {
      state = store.load(now(), options.settings);
    } catch (const std::exception&) {
      // Reading fails too: the next event tries again to write, and fails again with the reason.
    }
    state.stopping = stopping;
    state.revision = revision + 1;
  }

  void answer(Request& request, const Question& question) {
    try {
      question(View{state, store, options.settings, now()});
      request.asked.set_value();
    } catch (...) {
      request.asked.set_exception(std::current_exception());
    }
  }

  Reply take(Event& event, std::vector<Write>& writes) {
    if (std::holds_alternative<TickEvent>(event)) find_gone(writes);
    return apply(event, writes);
  }

  Reply apply(const Event& event, std::vector<Write>& writes) {
    Effects effects = step(state, event, now(), options.settings);
    if (writes.empty()) {
      writes = std::move(effects.writes);
    } else {
      std::move(effects.writes.begin(), effects.writes.end(), std::back_inserter(writes));
    }
    for (const std::string& id : effects.removed) note_files(state.task(id));
    return std::move(effects.reply);
  }

  // A removed task's files in the workspace; its result is still in the store. Files that another
  // task's result also names are kept.
  void note_files(const TaskEntry& entry) {
    std::vector<std::string> paths = {"runs/" + entry.id()};
    for (const auto& file : protocol::result_files(store.result(entry))) {
      if (published(file.path) && !named_elsewhere(entry, file.path)) paths.push_back(file.path);
    }
    removed.emplace_back(entry.id(), std::move(paths));
  }

  // Only data sets and labels are published, so there are few tasks to check.
  bool named_elsewhere(const TaskEntry& entry, const std::string& path) const {
    return std::any_of(state.tasks.begin(), state.tasks.end(), [&](const auto& each) {
      const TaskEntry& other = each.second;
      if (&other == &entry || other.kind != entry.kind || other.state != TaskState::kDone)
        return false;
      const auto files = protocol::result_files(store.result(other));
      return std::any_of(files.begin(), files.end(),
                         [&](const auto& file) { return file.path == path; });
    });
  }

  // --- in the callers' threads ---

  // Done tasks among these whose files are missing. Evaluations do not count: their figures remain.
  // Queries the engine in pieces, so that nobody waits long, and then checks the disk.
  std::set<std::string> missing_of(size_t count,
                                   const std::function<const std::string&(size_t)>& id_of) {
    constexpr size_t kPiece = 1000;
    std::set<std::string> missing;
    for (size_t from = 0; from < count; from += kPiece) {
      std::vector<std::pair<std::string, Json>> results;
      ask_view([&](const Engine::View& view) {
        for (size_t i = from; i < std::min(count, from + kPiece); ++i) {
          const std::string& id = id_of(i);
          const auto found = view.state.tasks.find(id);
          if (found == view.state.tasks.end()) continue;
          const TaskEntry& entry = found->second;
          if (entry.state != TaskState::kDone || entry.kind == TaskKind::kEvaluate) continue;
          results.emplace_back(id, view.store.result(entry));
        }
      });
      for (const auto& [id, result] : results) {
        if (protocol::result_damage(options.workspace, result, false)) missing.insert(id);
      }
    }
    return missing;
  }

  // The task and all its dependencies.
  static void with_dependencies(const TaskEntry& entry, std::set<const TaskEntry*>& seen,
                                std::vector<std::string>& ids) {
    if (!seen.insert(&entry).second) return;
    ids.push_back(entry.id());
    for (const TaskEntry* each : entry.dependencies) with_dependencies(*each, seen, ids);
  }

  std::set<std::string> missing_for(
      const std::function<void(const Engine::View&, std::set<const TaskEntry*>&,
                               std::vector<std::string>&)>& which) {
    std::vector<std::string> ids;
    ask_view([&](const Engine::View& view) {
      std::set<const TaskEntry*> seen;
      which(view, seen, ids);
    });
    return missing_of(ids.size(), [&](size_t i) -> const std::string& { return ids[i]; });
  }

  protocol::GridSubmitted submit(SubmitEvent event) {
    const std::vector<PreparedTask>& tasks = event.grid->tasks;
    event.missing.merge(
        missing_of(tasks.size(), [&](size_t i) -> const std::string& { return tasks[i].id; }));
    std::unordered_set<std::string_view> all;
    for (const PreparedTask& task : tasks) all.insert(task.id);
    event.folders = attempt_folders(options.workspace,
                                    [&](const std::string& id) { return all.count(id) > 0; });
    return std::get<protocol::GridSubmitted>(send(std::move(event)));
  }

  // Moves files before the result is committed, under a lease that starts now. If a file cannot be
  // moved, the attempt has failed.
  void publish_result(protocol::AttemptResult& result) {
    if (result.ending != protocol::Ending::kDone || result.publish.empty()) return;
    const Reply renewed = send(RenewEvent{result.task_id, result.attempt, result.fence});
    if (std::get<protocol::HeartbeatReply>(renewed).order == protocol::Order::kAbandon) return;
    try {
      publish_all(options.workspace, attempt_folder(result.task_id, result.attempt),
                  result.publish);
    } catch (const std::exception& error) {
      result.ending = is_no_space(error) ? protocol::Ending::kNoSpace : protocol::Ending::kFailed;
      result.reason = error.what();
    }
  }

  // A worker is certainly gone if its process was visible from here (this boot of this machine,
  // this pid namespace) and no longer exists. For any other worker only its lease decides.
  void find_gone(std::vector<Write>& writes) {
    std::vector<std::string> gone;
    for (const auto& [id, worker] : state.workers) {
      const auto& about = worker.about;
      if (worker.gone || about.host != host || about.boot_id != boot) continue;
      if (space.empty() || about.pid_namespace != space) continue;
      const bool another = about.started != 0 && process_started(about.pid) != about.started;
      if (another || !process_alive(about.pid)) gone.push_back(id);
    }
    for (const std::string& id : gone) apply(WorkerGoneEvent{id}, writes);
  }
};

Engine::Engine(Options options) : parts_(std::make_unique<Parts>(std::move(options))) {
  parts_->thread = std::thread([this] { parts_->run(); });
}

Engine::~Engine() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->wake.notify_one();
  parts_->thread.join();
}

protocol::GridSubmitted Engine::submit(const protocol::SubmitGrid& grid) {
  return parts_->submit(SubmitEvent(grid));
}

protocol::GridSubmitted Engine::submit(PreparedGrid grid) {
  return parts_->submit(SubmitEvent(std::move(grid)));
}

protocol::WorkerRegistered Engine::register_worker(protocol::RegisterWorker worker) {
  return std::get<protocol::WorkerRegistered>(parts_->send(RegisterEvent{std::move(worker)}));
}

protocol::ClaimReply Engine::claim(protocol::Claim claim) {
  if (claim.result) parts_->publish_result(*claim.result);
  Parts::Answer answer =
      parts_->ask(ClaimEvent{std::move(claim.worker_id), std::move(claim.result)});
  auto& reply = std::get<protocol::ClaimReply>(answer.reply);
  try {
    if (reply.assignment) answer.texts.complete(*reply.assignment);
  } catch (const std::exception& error) {
    // If it asks again, the worker gets the same attempt.
    throw Unavailable(fmt::format("task {} cannot be read from the database: {}",
                                  reply.assignment->task_id, error.what()));
  }
  return std::move(reply);
}

protocol::HeartbeatReply Engine::heartbeat(protocol::Heartbeat heartbeat) {
  return std::get<protocol::HeartbeatReply>(parts_->send(HeartbeatEvent{std::move(heartbeat)}));
}

protocol::ResultReply Engine::result(protocol::AttemptResult result) {
  parts_->publish_result(result);
  return std::get<protocol::ResultReply>(parts_->send(ResultEvent{std::move(result)}));
}

protocol::ResultReply Engine::adopt(const std::string& worker_id, protocol::AttemptResult result) {
  return std::get<protocol::ResultReply>(parts_->send(AdoptEvent{worker_id, std::move(result)}));
}

int64_t Engine::cancel_task(const std::string& id) {
  return std::get<CountReply>(parts_->send(CancelTaskEvent{id})).tasks;
}

int64_t Engine::cancel_grid(int64_t id) {
  return std::get<CountReply>(parts_->send(CancelGridEvent{id})).tasks;
}

int64_t Engine::retry_task(const std::string& id) {
  auto missing = parts_->missing_for([&](const View& view, auto& seen, auto& ids) {
    const auto found = view.state.tasks.find(id);
    if (found != view.state.tasks.end()) Parts::with_dependencies(found->second, seen, ids);
  });
  return std::get<CountReply>(parts_->send(RetryTaskEvent{id, std::move(missing)})).tasks;
}

int64_t Engine::retry_grid(int64_t id) {
  auto missing = parts_->missing_for([&](const View& view, auto& seen, auto& ids) {
    for (const TaskEntry* entry : view.state.grid(id).tasks) {
      Parts::with_dependencies(*entry, seen, ids);
    }
  });
  return std::get<CountReply>(parts_->send(RetryGridEvent{id, std::move(missing)})).tasks;
}

int64_t Engine::remove_task(const std::string& id) {
  const int64_t tasks = std::get<CountReply>(parts_->send(RemoveTaskEvent{id})).tasks;
  parts_->deleter.wait();
  return tasks;
}

int64_t Engine::remove_grid(int64_t id) {
  const int64_t tasks = std::get<CountReply>(parts_->send(RemoveGridEvent{id})).tasks;
  parts_->deleter.wait();
  return tasks;
}

int64_t Engine::pause_grid(int64_t id, Pause pause) {
  return std::get<CountReply>(parts_->send(PauseGridEvent{id, pause})).tasks;
}

void Engine::configure_grid(int64_t id, const GridSettings& settings) {
  parts_->send(ConfigureGridEvent{id, settings});
}

void Engine::worker_gone(const std::string& worker_id, const std::string& why, bool counts) {
  parts_->send(WorkerGoneEvent{worker_id, why, counts});
}

std::vector<PutNotice> Engine::notices() const {
  return query([](const View& view) { return view.store.notices(); });
}

void Engine::notice_taken(int64_t id) {
  parts_->send(NoticeTakenEvent{id});
}

std::filesystem::path Engine::workspace() const {
  return parts_->options.workspace;
}

void Engine::discard(const std::string& path) {
  parts_->deleter.remove(path);
}

Engine::Unclaimed::Unclaimed(Engine& engine, std::string task_id)
    : engine_(engine), task_id_(std::move(task_id)) {
  engine_.parts_->send(ClearingEvent{task_id_, 1});
}

Engine::Unclaimed::~Unclaimed() {
  engine_.parts_->tell(ClearingEvent{task_id_, -1});
}

void Engine::shutdown() {
  parts_->send(ShutdownEvent{});
}

void Engine::tick() {
  parts_->send(TickEvent{});
}

void Engine::ask(std::function<void(const View&)> question) const {
  parts_->ask_view(std::move(question));
}

}  // namespace remixer::coordinator
