//! Threads that read one repository.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::source::objects::threads;
use crate::source::repository::Error;
use crate::source::versions::{Packs, Versions};

/// Less work is not worth a thread.
const FEWEST: usize = 32;

/// A path is parted into no fewer versions, since each part begins with a chain of deltas: as many, mostly.
const LEAST_PART: usize = 50;

/// Threads of a repository, made when there is enough to do.
pub struct Workers<'a> {
    repository: &'a gix::Repository,
    packs: &'a Packs,
    jobs: usize,
    /// One for each thread.
    readers: Vec<Versions<'a>>,
    pool: Option<rayon::ThreadPool>,
}

impl<'a> Workers<'a> {
    /// As many threads as there are `jobs`, at most.
    #[must_use]
    pub fn of(repository: &'a gix::Repository, packs: &'a Packs, jobs: usize) -> Self {
        let readers = vec![Versions::of(repository, packs)];
        Self { repository, packs, jobs: jobs.max(1), readers, pool: None }
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &gix::Repository {
        self.repository
    }

    /// Works through groups of things, each on one thread. Answers come in the groups' order.
    pub fn each<T: Sync, R: Send>(
        &mut self,
        groups: &[Vec<T>],
        work: impl Fn(&mut Versions<'a>, &[T]) -> R + Sync,
    ) -> Result<Vec<R>, Error> {
        if self.jobs == 1 || groups.len() < 2 || groups.iter().map(Vec::len).sum::<usize>() < FEWEST {
            return Ok(groups.iter().map(|group| work(&mut self.readers[0], group)).collect());
        }
        let Self { repository, packs, jobs, readers, pool } = self;
        let pool = match pool {
            Some(pool) => pool,
            None => pool.insert(threads(repository, *jobs)?),
        };
        readers.resize_with(*jobs, || Versions::of(repository, packs));
        // The longest first, since the last one to end is waited for.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&number| Reverse(groups[number].len()));
        let next = AtomicUsize::new(0);
        let answers = Mutex::new(Vec::new());
        let run = |reader: &mut Versions<'a>| {
            while let Some(&number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = work(reader, &groups[number]);
                answers.lock().unwrap_or_else(PoisonError::into_inner).push((number, answer));
            }
        };
        let run = &run;
        pool.scope(|scope| readers.iter_mut().for_each(|reader| scope.spawn(move |_| run(reader))));
        let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.sort_unstable_by_key(|(number, _)| *number);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Puts together what stands at the same path, in the order in which it comes, and parts what is too much for one thread.
    pub fn by_path<T>(&self, mut all: Vec<T>, path: impl Fn(&T) -> &[u8]) -> Vec<Vec<T>> {
        let most = (all.len() / self.jobs / 4).max(LEAST_PART);
        all.sort_by(|a, b| path(a).cmp(path(b)));
        let mut groups: Vec<Vec<T>> = Vec::new();
        for one in all {
            match groups.last_mut() {
                Some(group) if group.len() < most && path(&group[0]) == path(&one) => group.push(one),
                _ => groups.push(vec![one]),
            }
        }
        groups
    }
}
