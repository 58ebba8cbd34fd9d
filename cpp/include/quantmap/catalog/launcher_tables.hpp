// How servers are started: by themselves, and in containers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "quantmap/catalog/rows.hpp"

namespace quantmap {

// A stretch of releases.
struct ReleaseSpan {
  std::uint16_t since;
  std::uint16_t until;  // exclusive
};

// A flag that is the launcher's own, and not the server's.
struct OwnFlag {
  std::string_view name;
  ReleaseSpan in;
};

// How a server is started: these words, then the model, by itself or behind a flag.
struct Launcher {
  Rows<std::string_view> words;
  std::string_view model_flag;
  ReleaseSpan positional;  // where the model may stand by itself
  ReleaseSpan ignored;     // where such a word is read, and nothing is made of it
  Rows<OwnFlag> own_flags;
  Rows<std::string_view> other_commands;  // words behind it that start something else
  ReleaseSpan exists;                     // the releases that have it
  Rows<std::string_view> lacks;           // flags of the server that it does not take
};

// Which launcher the entrypoint of a release's image is.
struct Entrypoint {
  ReleaseSpan in;
  std::size_t launcher;
};

// The public image of the releases in an interval; "{version}" in the name stands for the release.
struct ContainerImage {
  std::uint16_t since;
  std::uint16_t until;
  std::string_view name;
};

struct RenamedParameter {
  std::string_view name;
  std::string_view flag;
};

// Classes and functions of a Python package that take the server's arguments by name.
struct Callable {
  std::string_view package;
  Rows<std::string_view> names;
  std::string_view model;  // the parameter that names the model, or stands first without its name
  Rows<RenamedParameter> renamed;
};

struct PluginValue {
  std::string_view flag;
  std::string_view value;
};

// A package beside the engine that adds flags, values and variables of its own.
struct Plugin {
  std::string_view package;
  Rows<std::string_view> flags;
  Rows<PluginValue> values;
  std::string_view variables;  // what the names of its variables begin with
};

// Variables of an old name that a release reads by their new one: "SGL_X" as "SGLANG_X".
struct OldVariables {
  std::string_view from;  // how the old names begin; empty: the engine has none
  std::string_view to;
  std::uint16_t since = 0;
};

struct Container {
  Rows<ContainerImage> images;
  bool starts_server;                     // the image's own entrypoint does, and has to be replaced
  Rows<Entrypoint> entrypoints;           // which launcher that is, by release
  Rows<std::string_view> options;         // of docker run
  Rows<std::string_view> other_images;    // that others publish; their tags are no releases
  Rows<std::string_view> numbered_apart;  // who publishes images with the engine, numbered by themselves
};

}  // namespace quantmap
