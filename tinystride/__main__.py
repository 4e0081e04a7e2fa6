from tinystride.cli import main

main()
