"""What can be launched, as other programs read it; `render` does the work."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Rendered"]


class Rendered:
    """The base of mappings and of a plan's experiments: the forms a launch can be written in.

    Attributes:
        engine: the engine's id.
        version: the release, or None in documented mode.
        args: flags and values in launch order; True is a bare switch.
        env: environment variables that the launch needs.
        files: file contents by relative name that the launch needs.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        engine: str
        version: str | None
        args: dict[str, str | bool]
        env: dict[str, str]
        files: dict[str, str]

    def argv(self, model: str | None = None) -> list[str]:
        """The arguments as a list of words, ready for an exec call.

        Args:
            model: the model to serve; with it, the words are the whole launch command.

        Returns:
            list[str]: True is the bare flag, False is nothing. Variables and files are in
            ``env`` and ``files``.

        Example:
            >>> import quantmap
            >>> config = {"kvcache_dtype": "fp8"}
            >>> mapping = quantmap.explain("vllm", config, {"enforce-eager": True})
            >>> mapping.argv()
            ['--dtype', 'auto', '--kv-cache-dtype', 'fp8', '--enforce-eager']
            >>> mapping.argv("my/model")[:3]
            ['vllm', 'serve', 'my/model']
        """
        from . import render

        return render.argv(self, model)

    def shell(self, model: str | None = None) -> str:
        """The launch as one line for a POSIX shell, every word quoted where it has to be.

        Args:
            model: the model to serve; with it, the line is the whole launch command.

        Returns:
            str: files are written first (``printf ... > name &&``), variables stand before the
            command.

        Example:
            >>> import quantmap
            >>> quantmap.explain("vllm", {}, {"served-model-name": "a b"}).shell("m")
            "vllm serve m --dtype auto --kv-cache-dtype auto --served-model-name 'a b'"
        """
        from . import render

        return render.shell(self, model)

    def docker(
        self,
        model: str,
        image: str | None = None,
        *,
        gpus: str | None = "all",
        options: Iterable[str] = (),
    ) -> str:
        """The launch as one ``docker run`` line for a POSIX shell.

        The container uses the network of the host, so the server listens where it would without
        one. A file that the launch needs is written in the container, before the server starts.

        Args:
            model: the model to serve, as the container sees it.
            image: the image; None is the engine's public image of the release.
            gpus: as docker's ``--gpus``: ``all``, a number, ``device=0``; None gives none.
            options: more words for ``docker run``, such as a volume with models.

        Returns:
            str: the line; variables are in it (``-e``).

        Raises:
            ConfigError: the release has no public image, or none is known because the mapping is
                the documented one.

        Example:
            >>> import quantmap
            >>> mapping = quantmap.explain("sglang@0.5.6", {"gemm_dtype": "bfloat16"})
            >>> print(mapping.docker("my/model", gpus="device=0"))  # doctest: +NORMALIZE_WHITESPACE
            docker run --rm --network host --ipc host --gpus=device=0 lmsysorg/sglang:v0.5.6
            python3 -m sglang.launch_server --model-path my/model --dtype bfloat16
            --kv-cache-dtype auto
        """
        from . import render

        return render.docker(self, model, image, gpus, options)

    def config_file(self) -> str:
        """The arguments as the YAML file that the engine takes instead of them.

        vLLM and SGLang take arguments so, by ``--config``. TensorRT-LLM takes its settings, the
        ones in ``files``. Variables are not part of it.

        Returns:
            str: one ``name: value`` per argument, names without dashes; or the file of settings.

        Raises:
            ConfigError: the release takes no such file, the launch needs none, or an argument
                would be read as another one from it.

        Example:
            >>> import quantmap
            >>> print(quantmap.explain("sglang", {"kvcache_dtype": "fp8_e4m3"}).config_file())
            dtype: auto
            kv-cache-dtype: fp8_e4m3
            <BLANKLINE>
        """
        from . import render

        return render.config_file(self)
