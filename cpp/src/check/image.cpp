// What the name of a container's image says.
#include <algorithm>

#include "launch_words.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

std::string_view repository(std::string_view image) {
  const std::size_t slash = image.rfind('/');
  const std::size_t from = slash == std::string_view::npos ? 0 : slash;
  return image.substr(0, std::min(image.find('@', from), image.find(':', from)));
}

std::string tag_of(std::string_view image) {
  std::string_view tag = image.substr(repository(image).size());
  if (tag.empty() || tag.front() == '@') return {};
  tag.remove_prefix(1);
  return std::string(tag.substr(0, tag.find('@')));
}

// Whether a name is the other, be it in a registry of its own; what may follow is what a variant is called.
bool is_variant(std::string_view name, std::string_view known, bool& exact) {
  const std::size_t at = name.rfind(known);
  if (known.empty() || at == std::string_view::npos || (at > 0 && name[at - 1] != '/')) return false;
  const std::string_view rest = name.substr(at + known.size());
  exact = rest.empty();
  return exact || rest.front() == '-';
}

// The maker whose word a part of the image's name or tag begins with.
const OtherMaker* maker_of(std::string_view image) {
  std::size_t begin = 0;
  while (begin < image.size()) {
    const std::size_t end = std::min(image.find_first_of("/-_:.", begin), image.size());
    const std::string_view part = image.substr(begin, end - begin);
    for (const OtherMaker& maker : catalog().hardware.others) {
      for (const std::string_view word : maker.image_words) {
        if (part.substr(0, word.size()) == word) return &maker;
      }
    }
    begin = end + 1;
  }
  return nullptr;
}

// "nvcr.io#nvidia/name:tag" is "nvcr.io/nvidia/name:tag".
std::string with_slash(std::string_view image) {
  std::string out(image);
  const std::size_t mark = out.find('#');
  if (mark < out.find('/')) out[mark] = '/';
  return out;
}

constexpr std::string_view kKeepers[] = {"apptainer", "singularity", "enroot"};
constexpr std::string_view kKeep[] = {"pull", "build", "import"};
constexpr std::string_view kFiles[] = {".sif", ".sqsh", ".img", ".simg"};

// The file that apptainer pull makes of an image when it is not told another.
std::string file_of(const ImageName& image) {
  const std::string_view name = std::string_view(image.name).substr(image.name.rfind('/') + 1);
  return std::string(name) + "_" + (image.tag.empty() ? "latest" : image.tag) + ".sif";
}

}  // namespace

std::optional<std::pair<std::string, ImageName>> pulled_image(const std::vector<Word>& words) {
  const auto is = [&words](const auto& names) {
    return std::any_of(words.begin(), words.end(),
                       [&](const Word& word) { return is_one_of(program(word.text), names); });
  };
  if (words.size() < 3 || !is(kKeepers) || !is(kKeep)) return std::nullopt;
  std::string file;
  ImageName image;
  for (const Word& word : words) {
    const auto ends = [&word](std::string_view end) { return word.text.ends_with(end); };
    if (word.text.starts_with("docker")) image = read_image(word.text);
    if (std::any_of(std::begin(kFiles), std::end(kFiles), ends)) file = program(word.text);
  }
  if (image.engine == nullptr) return std::nullopt;
  if (file.empty()) file = file_of(image);
  return std::make_pair(std::move(file), std::move(image));
}

ImageName read_image(std::string_view word) {
  // An option's value, as srun and its kin name an image, with # behind the registry.
  if (!word.empty() && word.front() == '-') word.remove_prefix(std::min(word.find('=') + 1, word.size()));
  const std::string registry_and_name = with_slash(word);
  word = registry_and_name;
  for (const std::string_view registry : {"docker://", "docker.io/"}) {
    if (word.substr(0, registry.size()) == registry) word.remove_prefix(registry.size());
  }
  ImageName out;
  out.name = repository(word);
  out.tag = tag_of(word);
  const std::string name = lower(out.name);
  for (const Engine& engine : catalog().engines) {
    bool exact = false;
    for (const ContainerImage& image : engine.container.images) {
      if (!is_variant(name, repository(image.name), exact)) continue;
      out.engine = &engine;
      out.own = true;
    }
    for (const std::string_view other : engine.container.other_images) {
      if (is_variant(name, other, exact) && exact) out.engine = &engine;
    }
  }
  if (out.engine != nullptr) out.maker = maker_of(lower(word));
  return out;
}

}  // namespace quantmap
