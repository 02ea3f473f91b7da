#include "coordinator/engine/engine.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "base/failpoint.h"
#include "base/host.h"
#include "coordinator/engine/janitor.h"
#include "coordinator/engine/publish.h"

namespace remixer::coordinator {

namespace protocol = experiments::protocol;

namespace {

using Question = std::function<Json(const Engine::View&)>;

// Of an event.
struct Answer {
  Reply reply;
  AssignmentTexts texts;  // of a claim's assignment
};

struct Request {
  std::variant<Question, Event> what;
  std::promise<Answer> reply;  // of an event
  std::promise<Json> answer;   // of a question
};

}  // namespace

struct Engine::Parts {
  explicit Parts(Options given)
      : options(std::move(given)),
        store(options.database),
        host(host_name()),
        boot(boot_id()),
        state(store.load(now(), options.settings)) {}

  Options options;
  Store store;
  std::string host, boot;
  State state;
  std::vector<std::string> removed;  // paths that the batch's removed tasks leave behind
  Janitor janitor{options.workspace};

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Request> waiting;
  bool ending = false;
  std::thread thread;

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

  // Steps the batch's events, stores what they did, answers.
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
      // What is in memory is ahead of the disk: go back to what is known there.
      const auto reason = std::make_exception_ptr(Unavailable(error.what()));
      reload();
      for (auto& [request, reply] : replies) request->reply.set_exception(reason);
      replies.clear();
      removed.clear();
    }
    for (auto& [request, reply] : replies) give(*request, std::move(reply));
    for (const std::string& path : removed) janitor.remove(path);
    for (Request& request : batch) {
      if (auto* question = std::get_if<Question>(&request.what)) answer(request, *question);
    }
  }

  // An assignment's specs and results are in the store alone.
  void give(Request& request, Reply reply) {
    try {
      AssignmentTexts texts;
      const auto* claim = std::get_if<protocol::ClaimReply>(&reply);
      if (claim && claim->assignment) texts = store.texts(*claim->assignment);
      failpoint("before-answer");
      request.reply.set_value({std::move(reply), std::move(texts)});
      failpoint("after-answer");
    } catch (const std::exception& error) {
      // Asked again, the worker is given the same attempt.
      request.reply.set_exception(std::make_exception_ptr(Unavailable(error.what())));
    }
  }

  void reload() {
    const bool stopping = state.stopping;
    const uint64_t revision = state.revision;
    try {
      state = store.load(now(), options.settings);
    } catch (const std::exception&) {
      // Unreadable too: the next event tries again to write, and fails again with the reason.
    }
    state.stopping = stopping;
    state.revision = revision + 1;
  }

  void answer(Request& request, const Question& question) {
    try {
      request.answer.set_value(question(View{state, store, options.settings, now()}));
    } catch (...) {
      request.answer.set_exception(std::current_exception());
    }
  }

  // What an event needs from the world outside, then the step itself.
  Reply take(Event& event, std::vector<Write>& writes) {
    if (auto* submit = std::get_if<SubmitEvent>(&event)) find_missing(*submit);
    if (auto* retry = std::get_if<RetryTaskEvent>(&event)) {
      find_missing(state.task(retry->task_id), retry->missing);
    }
    if (auto* retry = std::get_if<RetryGridEvent>(&event)) {
      for (const TaskEntry* entry : state.grid(retry->grid_id).tasks)
        find_missing(*entry, retry->missing);
    }
    if (auto* result = std::get_if<ResultEvent>(&event)) publish_result(result->result);
    if (auto* claim = std::get_if<ClaimEvent>(&event); claim && claim->result) {
      publish_result(*claim->result);
    }
    if (std::holds_alternative<TickEvent>(event)) find_gone(writes);
    return apply(event, writes);
  }

  Reply apply(const Event& event, std::vector<Write>& writes) {
    Effects effects = step(state, event, now(), options.settings);
    std::move(effects.writes.begin(), effects.writes.end(), std::back_inserter(writes));
    for (const std::string& id : effects.removed) note_files(state.task(id));
    return std::move(effects.reply);
  }

  // What a removed task leaves in the workspace; its result is still in the store.
  void note_files(const TaskEntry& entry) {
    removed.push_back("runs/" + entry.id());
    const std::string path = result_path(entry.kind, store.result(entry));
    if (published(path)) removed.push_back(path);
  }

  void note_if_missing(const TaskEntry& entry, std::set<std::string>& missing) const {
    if (entry.state != TaskState::kDone || entry.kind == TaskKind::kEvaluate) return;
    if (!result_exists(options.workspace, entry.kind, store.result(entry))) {
      missing.insert(entry.id());
    }
  }

  void find_missing(SubmitEvent& submit) const {
    for (const PreparedTask& task : submit.grid->tasks) {
      const auto found = state.tasks.find(task.id);
      if (found != state.tasks.end()) note_if_missing(found->second, submit.missing);
    }
  }

  void find_missing(const TaskEntry& entry, std::set<std::string>& missing) const {
    note_if_missing(entry, missing);
    for (const TaskEntry* each : entry.dependencies) find_missing(*each, missing);
  }

  // Files are moved before the result is committed. What cannot be moved is a failed attempt.
  void publish_result(protocol::AttemptResult& result) const {
    if (result.ending != protocol::Ending::kDone || result.publish.empty()) return;
    if (!still_valid(state, result.task_id, result.attempt, result.fence)) return;
    try {
      publish_all(options.workspace, attempt_folder(result.task_id, result.attempt),
                  result.publish);
    } catch (const std::exception& error) {
      result.ending = protocol::Ending::kFailed;
      result.reason = error.what();
    }
  }

  // A worker on this host is gone when its process is, or when the host was started again since.
  void find_gone(std::vector<Write>& writes) {
    std::vector<std::string> gone;
    for (const auto& [id, worker] : state.workers) {
      if (worker.gone || worker.about.host != host) continue;
      if (worker.about.boot_id != boot || !process_alive(worker.about.pid)) gone.push_back(id);
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
  return std::get<protocol::GridSubmitted>(parts_->send(SubmitEvent(grid)));
}

protocol::GridSubmitted Engine::submit(PreparedGrid grid) {
  return std::get<protocol::GridSubmitted>(parts_->send(SubmitEvent(std::move(grid))));
}

protocol::WorkerRegistered Engine::register_worker(protocol::RegisterWorker worker) {
  return std::get<protocol::WorkerRegistered>(parts_->send(RegisterEvent{std::move(worker)}));
}

protocol::ClaimReply Engine::claim(protocol::Claim claim) {
  Answer answer = parts_->ask(ClaimEvent{std::move(claim.worker_id), std::move(claim.result)});
  auto& reply = std::get<protocol::ClaimReply>(answer.reply);
  try {
    if (reply.assignment) answer.texts.complete(*reply.assignment);
  } catch (const std::exception& error) {
    // Asked again, the worker is given the same attempt.
    throw Unavailable(fmt::format("task {} cannot be read from the database: {}",
                                  reply.assignment->task_id, error.what()));
  }
  return std::move(reply);
}

protocol::HeartbeatReply Engine::heartbeat(protocol::Heartbeat heartbeat) {
  return std::get<protocol::HeartbeatReply>(parts_->send(HeartbeatEvent{std::move(heartbeat)}));
}

protocol::ResultReply Engine::result(protocol::AttemptResult result) {
  return std::get<protocol::ResultReply>(parts_->send(ResultEvent{std::move(result)}));
}

int64_t Engine::cancel_task(const std::string& id) {
  return std::get<CountReply>(parts_->send(CancelTaskEvent{id})).tasks;
}

int64_t Engine::cancel_grid(int64_t id) {
  return std::get<CountReply>(parts_->send(CancelGridEvent{id})).tasks;
}

int64_t Engine::retry_task(const std::string& id) {
  return std::get<CountReply>(parts_->send(RetryTaskEvent{id, {}})).tasks;
}

int64_t Engine::retry_grid(int64_t id) {
  return std::get<CountReply>(parts_->send(RetryGridEvent{id, {}})).tasks;
}

int64_t Engine::remove_task(const std::string& id) {
  return std::get<CountReply>(parts_->send(RemoveTaskEvent{id})).tasks;
}

int64_t Engine::remove_grid(int64_t id) {
  return std::get<CountReply>(parts_->send(RemoveGridEvent{id})).tasks;
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
  std::vector<PutNotice> notices;
  query([&](const View& view) {
    notices = view.store.notices();
    return Json();
  });
  return notices;
}

void Engine::notice_taken(int64_t id) {
  parts_->send(NoticeTakenEvent{id});
}

std::filesystem::path Engine::workspace() const {
  return parts_->options.workspace;
}

void Engine::discard(const std::string& path) {
  parts_->janitor.remove(path);
}

void Engine::shutdown() {
  parts_->send(ShutdownEvent{});
}

void Engine::tick() {
  parts_->send(TickEvent{});
}

Json Engine::query(std::function<Json(const View&)> question) const {
  Request request;
  request.what = std::move(question);
  return parts_->post(std::move(request), &Request::answer);
}

}  // namespace remixer::coordinator
