#include "labelcache/label_job.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/error.h"
#include "core/data/parallel.h"
#include "labelcache/cache_reader.h"
#include "labelcache/cache_writer.h"
#include "labelcache/labeler.h"

namespace remixer::labelcache {
namespace {

using training::Communicator;

// ATen runs on one thread while this lives, the batches on several: the same sums for any number of
// threads, and no waiting between the small layers of a network.
class OneThreadEach {
 public:
  OneThreadEach() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThreadEach() { at::set_num_threads(before_); }
  OneThreadEach(const OneThreadEach&) = delete;
  OneThreadEach& operator=(const OneThreadEach&) = delete;
  int before() const { return before_; }

 private:
  int before_;
};

// What a rank says at the end of a step: its bytes, or why it cannot go on. A rank that threw by
// itself would leave the others waiting for it.
enum class Verdict : char { kDone, kBadInput, kFailed };

template <typename Work>
std::vector<std::string> all_gather(Communicator& ranks, Work&& work) {
  std::string message;
  try {
    message = static_cast<char>(Verdict::kDone) + work();
  } catch (const InputError& error) {
    message = static_cast<char>(Verdict::kBadInput) + std::string(error.what());
  } catch (const std::exception& error) {
    message = static_cast<char>(Verdict::kFailed) + std::string(error.what());
  }
  std::vector<std::string> messages = ranks.all_gather(message);
  for (std::string& text : messages) {
    const auto verdict = static_cast<Verdict>(text.at(0));
    text.erase(0, 1);
    if (verdict == Verdict::kBadInput) throw InputError(text);
    if (verdict == Verdict::kFailed) throw Error(text);
  }
  return messages;
}

struct Range {
  int64_t begin = 0, end = 0;
};

// The records of samples [range.begin, range.end), in order, `batch` images at a time. Batches
// begin at multiples of `batch` whoever computes them, so each image always has the same company.
std::string label_range(const data::Dataset& dataset, const Labeler& labeler, Range range,
                        unsigned threads) {
  const int64_t batch = labeler.batch();
  const int64_t batches = (range.end - range.begin + batch - 1) / batch;
  std::vector<std::string> parts(static_cast<size_t>(batches));
  data::parallel_for(batches, threads, [&](int64_t number) {
    const int64_t begin = range.begin + number * batch, end = std::min(begin + batch, range.end);
    std::vector<LabelInput> inputs;
    for (int64_t i = begin; i < end; ++i) {
      const data::Sample& sample = dataset.samples()[static_cast<size_t>(i)];
      inputs.push_back({sample, data::read_image(dataset.image_path(sample))});
    }
    for (const data::LabelMap& map : labeler.label(inputs)) {
      parts[static_cast<size_t>(number)] += encode_record(map, labeler.shape());
    }
  });
  std::string records;
  for (const std::string& part : parts) records += part;
  return records;
}

// Every rank's share of one round: equal runs of whole batches, in rank order.
Range share(int64_t begin, int64_t total, int64_t batch, int64_t batches_a_rank, int rank,
            int size) {
  const int64_t left = (total - begin + batch - 1) / batch;
  const int64_t each = std::min(batches_a_rank, (left + size - 1) / size) * batch;
  const auto at = [&](int64_t part) { return std::min(begin + part * each, total); };
  return {at(rank), at(rank + 1)};
}

}  // namespace

LabelOutcome build_labels(const LabelJob& job, Communicator& communicator) {
  // Two batches a thread in each round: enough to even out slow images, and news every second or
  // so.
  constexpr int64_t kBatchesAThread = 2;
  const auto start = std::chrono::steady_clock::now();
  const OneThreadEach threads;
  const int rank = communicator.rank(), size = communicator.size();

  std::optional<data::Dataset> dataset;
  std::unique_ptr<Labeler> labeler;
  std::optional<CacheWriter> writer;
  all_gather(communicator, [&] {
    dataset = data::Dataset::open(job.dataset, job.split);
    labeler = make_labeler(job.labeler, job.weights);
    if (rank == 0) {
      writer.emplace(
          job.output,
          Provenance{job.labeler, labeler->weights_sha256(), dataset->content_hash(), job.split,
                     static_cast<int64_t>(dataset->samples().size()), labeler->shape()});
    }
    return std::string();
  });

  const int64_t total = static_cast<int64_t>(dataset->samples().size());
  const int64_t batches = kBatchesAThread * communicator.all_reduce_max(threads.before());
  LabelOutcome outcome;
  while (outcome.images < total) {
    const auto range = [&](int of) {
      return share(outcome.images, total, labeler->batch(), batches, of, size);
    };
    const auto parts = all_gather(communicator, [&] {
      return label_range(*dataset, *labeler, range(rank), static_cast<unsigned>(threads.before()));
    });
    auto order = training::Directive::kContinue;
    const Range last = range(size - 1);
    all_gather(communicator, [&] {
      if (rank != 0) return std::string();
      int64_t sample = outcome.images;
      for (const std::string& part : parts) {
        for (std::string_view rest = part; !rest.empty(); ++sample) {
          const size_t bytes = record_size(rest, labeler->shape());
          writer->add(dataset->samples().at(static_cast<size_t>(sample)).id, rest.substr(0, bytes));
          rest.remove_prefix(bytes);
        }
      }
      if (job.on_progress) order = job.on_progress(last.end, total);
      return std::string();
    });
    outcome.images = last.end;
    if (communicator.all_reduce_max(order == training::Directive::kStop) != 0) return outcome;
  }
  const auto hashes =
      all_gather(communicator, [&] { return rank == 0 ? writer->finish() : std::string(); });
  outcome.finished = true;
  outcome.content_sha256 = hashes.front();
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

std::unique_ptr<data::LabelSource> open_labels(const std::filesystem::path& file,
                                               const std::string& dataset_content_sha256,
                                               const std::string& split) {
  auto reader = std::make_unique<CacheReader>(file);
  const Provenance& provenance = reader->provenance();
  if (provenance.dataset_sha256 != dataset_content_sha256) {
    fail_input("{}: labels of another dataset (content {:.12}…, wanted {:.12}…); make them again",
               file.string(), provenance.dataset_sha256, dataset_content_sha256);
  }
  if (provenance.split != split) {
    fail_input("{}: labels of split '{}', wanted '{}'", file.string(), provenance.split, split);
  }
  return reader;
}

}  // namespace remixer::labelcache
